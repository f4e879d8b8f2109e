"""the kinds of consents are valid for the consents from before

Revision ID: 0114_valid_consent_kinds
Revises: 0113_register_consents
"""

from alembic import op

revision = "0114_valid_consent_kinds"
down_revision = "0113_register_consents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE consent VALIDATE CONSTRAINT ck_consent__known_kind")


def downgrade() -> None:
    """A valid constraint stays valid."""
