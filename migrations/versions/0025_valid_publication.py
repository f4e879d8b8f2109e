"""the constraints of the migration before are valid for older rows

Revision ID: 0025_valid_publication
Revises: 0024_publication
"""

from alembic import op

revision = "0025_valid_publication"
down_revision = "0024_publication"
branch_labels = None
depends_on = None

ADDED = (
    ("run", "ck_run__known_state"),
    ("run", "ck_run__checked_has_a_digest"),
    ("central_proposal", "fk_central_proposal__run_id"),
)


def upgrade() -> None:
    for table, name in ADDED:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """A valid constraint stays valid."""
