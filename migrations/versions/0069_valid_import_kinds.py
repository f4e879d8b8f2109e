"""the kinds of import files are valid for the rows from before the births

Revision ID: 0069_valid_import_kinds
Revises: 0068_coverage_history
"""

from alembic import op

revision = "0069_valid_import_kinds"
down_revision = "0068_coverage_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_file VALIDATE CONSTRAINT ck_import_file__known_kind")


def downgrade() -> None:
    """A valid constraint stays valid."""
