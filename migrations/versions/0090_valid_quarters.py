"""the constraint of 0089 is validated, which waits for nobody

Revision ID: 0090_valid_quarters
Revises: 0089_evidence_pictures
"""

from alembic import op

revision = "0090_valid_quarters"
down_revision = "0089_evidence_pictures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE evidence_page VALIDATE CONSTRAINT ck_evidence_page__quarters_of_a_turn")


def downgrade() -> None:
    """A constraint that is valid stays so; 0089 drops it."""
