"""the job that draws the notices of a result ahead

Revision ID: 0048_notices_drawn_ahead
Revises: 0047_letter
"""

import sqlalchemy as sa
from alembic import op

revision = "0048_notices_drawn_ahead"
down_revision = "0047_letter"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_drawing",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_notice_drawing__run_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_notice_drawing"),
    )


def downgrade() -> None:
    op.drop_table("notice_drawing")
