"""when an overdue correction was handed to the next office; the constraints of released numbers hold for all rows

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
    for name in ("known_way", "a_release_has_no_number"):  # added by the migration before, without looking at the rows
        op.execute(f"ALTER TABLE phone_change VALIDATE CONSTRAINT ck_phone_change__{name}")


def downgrade() -> None:
    op.drop_column("correction_request", "escalated_at")
