"""one signed run of a round, and the proposals of a run

Revision ID: 0026_publication_indexes
Revises: 0025_valid_publication
"""

import sqlalchemy as sa
from alembic import op

revision = "0026_publication_indexes"
down_revision = "0025_valid_publication"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_run__one_signed", "run", ["round_id"], unique=True, postgresql_where=sa.text("state = 'signed'"),
            postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip
        op.create_index(
            "ix_central_proposal__run_id",
            "central_proposal",
            ["run_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_central_proposal__run_id", "central_proposal")
    op.drop_index("uq_run__one_signed", "run")
