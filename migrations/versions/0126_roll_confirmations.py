"""who of an area confirmed its roll; an index of the documents that a clerk has to look at

Revision ID: 0126_roll_confirmations
Revises: 0125_report_area_sums
"""

import sqlalchemy as sa
from alembic import op

revision = "0126_roll_confirmations"
down_revision = "0125_report_area_sums"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "roll_confirmation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.Date(), nullable=False),
        sa.Column("newest", sa.Date(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("children > 0", name=op.f("ck_roll_confirmation__some_children")),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_roll_confirmation__area_code"),
        sa.ForeignKeyConstraint(["confirmed_by"], ["account.id"], name="fk_roll_confirmation__confirmed_by"),
        sa.PrimaryKeyConstraint("id", name="pk_roll_confirmation"),
        if_not_exists=True,
    )
    op.create_index(
        "ix_roll_confirmation__of_area", "roll_confirmation", ["area_code", "confirmed_at"], if_not_exists=True
    )
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_child_document__unchecked", "child_document", ["added_at"],
            postgresql_where=sa.text("checked_at IS NULL"), postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_child_document__unchecked", "child_document")
    op.drop_table("roll_confirmation")
