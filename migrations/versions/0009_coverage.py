"""targets of the two coverage shares

Revision ID: 0009_coverage
Revises: 0008_draw
"""

import sqlalchemy as sa
from alembic import op

revision = "0009_coverage"
down_revision = "0008_draw"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "target",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), sa.ForeignKey("season.year", name="fk_target__year"), nullable=False),
        sa.Column("area_code", sa.String(), sa.ForeignKey("area.code", name="fk_target__area_code"), nullable=True),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_target"),
        sa.UniqueConstraint(
            "year", "area_code", "share", name="uq_target__year_area_code_share", postgresql_nulls_not_distinct=True
        ),
        sa.CheckConstraint("share IN ('public','inclusive')", name=op.f("ck_target__known_share")),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name=op.f("ck_target__sane_percent")),
    )


def downgrade() -> None:
    op.drop_table("target")
