"""the constraint of the states of an upload is valid

Revision ID: 0046_valid_imports
Revises: 0045_imports_as_jobs
"""

from alembic import op

revision = "0046_valid_imports"
down_revision = "0045_imports_as_jobs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_file VALIDATE CONSTRAINT ck_import_file__known_state")


def downgrade() -> None:
    pass
