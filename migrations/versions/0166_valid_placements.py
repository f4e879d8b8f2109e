"""the references of results to placements, and of tickets to the draws of their years, hold for all rows

Revision ID: 0166_valid_placements
Revises: 0165_results_of_a_placement
"""

from alembic import op

revision = "0166_valid_placements"
down_revision = "0165_results_of_a_placement"
branch_labels = None
depends_on = None

TABLES = ("wish_reason", "opening", "prepared_offer", "prepared_result")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT fk_{table}__placement")
    op.execute("ALTER TABLE ticket VALIDATE CONSTRAINT fk_ticket__draw")


def downgrade() -> None:
    """A valid constraint stays valid."""
