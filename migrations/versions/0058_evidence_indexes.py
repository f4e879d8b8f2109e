"""indexes of the pages of findings, and of findings that wait for a second person

Revision ID: 0058_evidence_indexes
Revises: 0057_evidence_rules
"""

import sqlalchemy as sa
from alembic import op

revision = "0058_evidence_indexes"
down_revision = "0057_evidence_rules"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_verified_fact__page_id": ("page_id", "page_id IS NOT NULL"),
    "ix_verified_fact__waits": ("application_id", "needs_second AND second_by IS NULL"),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, (column, where) in INDEXES.items():
            op.create_index(
                name,
                "verified_fact",
                [column],
                postgresql_where=sa.text(where),
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "verified_fact")
