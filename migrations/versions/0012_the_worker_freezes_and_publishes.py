"""the worker freezes and publishes

A round names the job that works in its draw room.  A finished job's row goes after a month, and the round stays.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("round", sa.Column("draw_job_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_round__draw_job_id", "round", "job", ["draw_job_id"], ["id"], ondelete="SET NULL")


def downgrade() -> None:
    op.drop_constraint("fk_round__draw_job_id", "round", type_="foreignkey")
    op.drop_column("round", "draw_job_id")
