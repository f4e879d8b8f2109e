"""check that each child leaves after it entered, without locking the roll for long

Revision ID: 0060_valid_roll
Revises: 0059_roll_by_the_day
"""

from alembic import op

revision = "0060_valid_roll"
down_revision = "0059_roll_by_the_day"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE roll_child VALIDATE CONSTRAINT ck_roll_child__leaves_after_entering")


def downgrade() -> None:
    pass
