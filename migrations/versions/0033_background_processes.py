"""signs of life of workers and schedulers

Revision ID: 0033_background_processes
Revises: 0032_message_indexes
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033_background_processes"
down_revision = "0032_message_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "background_process",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("serves", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_background_process"),
    )


def downgrade() -> None:
    op.drop_table("background_process")
