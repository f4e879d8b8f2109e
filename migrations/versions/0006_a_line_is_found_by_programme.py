"""a line is found by programme

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_wish_reason__programme", "wish_reason", ["run_id", "programme_id"])


def downgrade() -> None:
    op.drop_index("ix_wish_reason__programme", table_name="wish_reason")
