"""the index of the queue holds the year, so that the load of a kindergarten is counted without reading applications

Revision ID: 0122_review_index
Revises: 0098_alarm_readings
"""

from alembic import op

revision = "0122_review_index"
down_revision = "0098_alarm_readings"
branch_labels = None
depends_on = None

COLUMNS = ["review_kindergarten_id", "stage", "submitted_at"]


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_application__review", "application", COLUMNS, postgresql_include=["year"], postgresql_concurrently=True,
            if_not_exists=True,
        )  # fmt: skip
        op.drop_index("ix_application__queue", "application", postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    op.create_index("ix_application__queue", "application", COLUMNS)
    op.drop_index("ix_application__review", "application")
