"""the kinds of import files are valid for the rows from before the measures

Revision ID: 0077_valid_measure_files
Revises: 0076_measures
"""

from alembic import op

revision = "0077_valid_measure_files"
down_revision = "0076_measures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_file VALIDATE CONSTRAINT ck_import_file__known_kind")


def downgrade() -> None:
    """A valid constraint stays valid."""
