"""statistics returns that an area has handed in, signed by two people

Revision ID: 0139_statistics_returns
Revises: 0137_open_returns
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0139_statistics_returns"
down_revision = "0137_open_returns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "statistics_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(signed_at IS NULL) = (signed_by IS NULL)", name=op.f("ck_statistics_return__signed_whole")
        ),
        sa.CheckConstraint("(signed_by <> made_by) IS NOT FALSE", name=op.f("ck_statistics_return__second_person")),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_statistics_return__area_code"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_statistics_return__made_by"),
        sa.ForeignKeyConstraint(["signed_by"], ["account.id"], name="fk_statistics_return__signed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_statistics_return"),
        if_not_exists=True,
    )
    op.create_index(
        "uq_statistics_return__one_open", "statistics_return", ["area_code", "year"], unique=True,
        postgresql_where=sa.text("signed_at IS NULL"), if_not_exists=True,
    )  # fmt: skip
    op.create_index(
        "ix_statistics_return__signed", "statistics_return", ["area_code", "year", "signed_at"], if_not_exists=True
    )
    op.execute(
        "CREATE OR REPLACE TRIGGER stays_as_signed BEFORE UPDATE OR DELETE ON statistics_return FOR EACH ROW"
        " WHEN (OLD.signed_at IS NOT NULL) EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("statistics_return")
