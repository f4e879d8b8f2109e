"""results prepared for the families' pages, sealed

Revision ID: 0041_prepared_results
Revises: 0040_files_stored_as_they_are
"""

import sqlalchemy as sa
from alembic import op

revision = "0041_prepared_results"
down_revision = "0040_files_stored_as_they_are"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prepared_result",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="fk_prepared_result__run_id"), nullable=False),
        sa.Column(
            "application_id",
            sa.Uuid(),
            sa.ForeignKey("application.id", name="fk_prepared_result__application_id"),
            nullable=False,
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "application_id", name="pk_prepared_result"),
    )
    op.create_index("ix_prepared_result__application_id", "prepared_result", ["application_id"])
    op.execute("ALTER TABLE prepared_result ALTER COLUMN content SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_table("prepared_result")
