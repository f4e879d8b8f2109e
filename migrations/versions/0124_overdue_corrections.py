"""when an overdue correction was handed to the next office

Revision ID: 0124_overdue_corrections
Revises: 0123_doubted_phones
"""

import sqlalchemy as sa
from alembic import op

revision = "0124_overdue_corrections"
down_revision = "0123_doubted_phones"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("correction_request", sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("correction_request", "escalated_at")
