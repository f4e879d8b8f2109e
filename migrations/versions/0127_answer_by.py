"""the last moment that a clerk chose for the answer to a return

Revision ID: 0127_answer_by
Revises: 0109_child_needs
"""

import sqlalchemy as sa
from alembic import op

revision = "0127_answer_by"
down_revision = "0109_child_needs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("returned_item", sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))
    # a new column without values: nothing is there to be checked, and the check takes no time
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE returned_item ADD CONSTRAINT ck_returned_item__answered_later_than_asked CHECK (answer_by > asked_at)"
    )


def downgrade() -> None:
    op.drop_column("returned_item", "answer_by")
