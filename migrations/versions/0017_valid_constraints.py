"""the constraints of the migration before are valid for the rows from before it

Revision ID: 0017_valid_constraints
Revises: 0016_guardians_and_phones
"""

from alembic import op

revision = "0017_valid_constraints"
down_revision = "0016_guardians_and_phones"
branch_labels = None
depends_on = None

ADDED = (
    ("mandate", "ck_mandate__a_paper_is_there"),
    ("case_file", "ck_case_file__known_kind"),
    ("case_file", "fk_case_file__officer_id"),
    ("invitation", "fk_invitation__case_id"),
)


def upgrade() -> None:
    for table, name in ADDED:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """A valid constraint stays valid."""
