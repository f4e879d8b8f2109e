"""the movement of a waiting line: an estimate for each round, and what it says about each child

Revision ID: 0082_movement
Revises: 0080_valid_grades
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0082_movement"
down_revision = "0080_valid_grades"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "movement_estimate",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dates", postgresql.JSONB(), nullable=False),
        sa.Column("years", postgresql.JSONB(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "answers > 0 AND jsonb_array_length(dates) > 0", name=op.f("ck_movement_estimate__of_something")
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_movement_estimate__round_id"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_movement_estimate__run_id"),
        sa.PrimaryKeyConstraint("round_id", name="pk_movement_estimate"),
    )
    op.create_index("ix_movement_estimate__run_id", "movement_estimate", ["run_id"])
    op.create_table(
        "movement_chance",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("replays", postgresql.JSONB(), nullable=False),
        sa.Column("placed", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_movement_chance__application_id"),
        sa.ForeignKeyConstraint(
            ["round_id"], ["movement_estimate.round_id"], name="fk_movement_chance__round_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("application_id", "round_id", name="pk_movement_chance"),
    )
    op.create_index("ix_movement_chance__round_id", "movement_chance", ["round_id"])


def downgrade() -> None:
    op.drop_table("movement_chance")
    op.drop_table("movement_estimate")
