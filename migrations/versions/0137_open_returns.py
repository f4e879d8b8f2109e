"""indexes of what was sent back, so that the page before the freeze reads the last hours and not every return of the season

Revision ID: 0137_open_returns
Revises: 0134_return_phrases
"""

import sqlalchemy as sa
from alembic import op

revision = "0137_open_returns"
down_revision = "0134_return_phrases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_application__returned", "application", ["year", "returned_at"],
            postgresql_where=sa.text("stage = 'returned'"), postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip
        op.create_index(
            "ix_returned_item__answer_by", "returned_item", ["answer_by"],
            postgresql_where=sa.text("answer_by IS NOT NULL"), postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_returned_item__answer_by", "returned_item")
    op.drop_index("ix_application__returned", "application")
