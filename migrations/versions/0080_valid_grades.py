"""the rules of targets and import files are valid for the rows from before the grades

Revision ID: 0080_valid_grades
Revises: 0079_grades_and_staff
"""

from alembic import op

revision = "0080_valid_grades"
down_revision = "0079_grades_and_staff"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE target_decision VALIDATE CONSTRAINT ck_target_decision__some_share")
    op.execute("ALTER TABLE target_decision VALIDATE CONSTRAINT ck_target_decision__some_kindergartens")
    op.execute("ALTER TABLE import_file VALIDATE CONSTRAINT ck_import_file__known_kind")


def downgrade() -> None:
    """A valid constraint stays valid."""
