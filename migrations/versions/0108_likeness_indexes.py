"""indexes of likenesses, and of files that came more than once

Revision ID: 0108_likeness_indexes
Revises: 0107_plausibility
"""

from alembic import op

revision = "0108_likeness_indexes"
down_revision = "0107_plausibility"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_child_likeness__month_index": ("child_likeness", "month_index"),
    "ix_child_likeness__letters_index": ("child_likeness", "letters_index"),
    "ix_evidence_page__original_digest": ("evidence_page", "original_digest"),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, (table, column) in INDEXES.items():
            op.create_index(name, table, [column], postgresql_concurrently=True, if_not_exists=True)


def downgrade() -> None:
    for name, (table, _column) in INDEXES.items():
        op.drop_index(name, table)
