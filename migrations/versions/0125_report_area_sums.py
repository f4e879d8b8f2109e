"""sums of a report by area, kept for the report of the city

Revision ID: 0125_report_area_sums
Revises: 0109_child_needs
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0125_report_area_sums"
down_revision = "0109_child_needs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_area_sum",
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("sums", postgresql.JSONB(), nullable=False),
        sa.Column("unequal", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_report_area_sum__area_code"),
        sa.PrimaryKeyConstraint("report", "year", "area_code", name="pk_report_area_sum"),
    )


def downgrade() -> None:
    op.drop_table("report_area_sum")
