"""an index of the applications of which a sample showed a fault: the queue asks for them

Revision ID: 0148_faults_of_samples
Revises: 0146_clocks_differ
"""

import sqlalchemy as sa
from alembic import op

revision = "0148_faults_of_samples"
down_revision = "0146_clocks_differ"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_bulk_item__fault", "bulk_item", ["application_id"],
            postgresql_where=sa.text("outcome = 'fault'"), postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_bulk_item__fault", "bulk_item")
