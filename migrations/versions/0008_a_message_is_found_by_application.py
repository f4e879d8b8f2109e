"""a message is found by application

Whether a family was reminded is asked of every unanswered offer, every few minutes.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_notice__application_id", "notice", ["application_id"])


def downgrade() -> None:
    op.drop_index("ix_notice__application_id", table_name="notice")
