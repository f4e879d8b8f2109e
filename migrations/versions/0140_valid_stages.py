"""the stages of measures and the kinds of import files hold for all rows

Revision ID: 0140_valid_stages
Revises: 0140_estates_and_stages
"""

from alembic import op

revision = "0140_valid_stages"
down_revision = "0140_estates_and_stages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE measure VALIDATE CONSTRAINT ck_measure__known_stage")
    op.execute("ALTER TABLE import_file VALIDATE CONSTRAINT ck_import_file__known_kind")


def downgrade() -> None:
    """A valid constraint stays valid."""
