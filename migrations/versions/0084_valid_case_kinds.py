"""the kinds of cases are valid for the rows from before the transfer requests

Revision ID: 0084_valid_case_kinds
Revises: 0083_transfer_requests
"""

from alembic import op

revision = "0084_valid_case_kinds"
down_revision = "0083_transfer_requests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE case_file VALIDATE CONSTRAINT ck_case_file__known_kind")


def downgrade() -> None:
    """A valid constraint stays valid."""
