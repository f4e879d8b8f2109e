"""why the person who opened a case took it back

Revision ID: 0034_case_withdrawal
Revises: 0033_background_processes
"""

import sqlalchemy as sa
from alembic import op

revision = "0034_case_withdrawal"
down_revision = "0033_background_processes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case_file", sa.Column("withdrawal_reason", sa.LargeBinary()))


def downgrade() -> None:
    op.drop_column("case_file", "withdrawal_reason")
