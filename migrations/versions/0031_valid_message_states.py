"""the states of the messages from before the migration before are valid

Revision ID: 0031_valid_message_states
Revises: 0030_message_states
"""

from alembic import op

revision = "0031_valid_message_states"
down_revision = "0030_message_states"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("notice", "text_message"):
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}__known_state")


def downgrade() -> None:
    """A valid constraint stays valid."""
