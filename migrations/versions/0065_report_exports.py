"""files with names that a second person agreed to

Revision ID: 0065_report_exports
Revises: 0064_arrival_taps
"""

import sqlalchemy as sa
from alembic import op

revision = "0065_report_exports"
down_revision = "0064_arrival_taps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_report_export"),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_report_export__kindergarten_id"),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name="fk_report_export__asked_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name="fk_report_export__decided_by"),
        sa.CheckConstraint("decided_by IS NULL OR decided_by <> asked_by", name="ck_report_export__second_person"),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (agreed IS NULL)",
            name="ck_report_export__decided_whole",
        ),
    )
    op.create_index(
        "ix_report_export__open",
        "report_export",
        ["kindergarten_id"],
        postgresql_where=sa.text("decided_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("report_export")
