"""one class of a name, and indexes of promotions

Revision ID: 0061_roll_indexes
Revises: 0060_valid_roll
"""

import sqlalchemy as sa
from alembic import op

revision = "0061_roll_indexes"
down_revision = "0060_valid_roll"
branch_labels = None
depends_on = None

INDEXES = (("roll_child", "promotion_id"), ("roll_child", "ending_promotion_id"), ("roll_class", "promotion_id"))


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_roll_class__one_of_a_name", "roll_class",
            ["kindergarten_id", "school_year", sa.text("lower(regexp_replace(name, '\\s', '', 'g'))")],
            unique=True, postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip
        for table, column in INDEXES:
            op.create_index(
                f"ix_{table}__{column}", table, [column], postgresql_concurrently=True, if_not_exists=True,
                postgresql_where=sa.text(f"{column} IS NOT NULL"),
            )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uq_roll_class__one_of_a_name", "roll_class")
    for table, column in INDEXES:
        op.drop_index(f"ix_{table}__{column}", table)
