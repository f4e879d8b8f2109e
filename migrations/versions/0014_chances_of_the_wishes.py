"""chances of the wishes: an estimate for each round, and the simulated lines of each programme

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chance_estimate",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("families", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.CheckConstraint(
            "families > 0 AND children >= families AND draws > 0", name=op.f("ck_chance_estimate__of_somebody")
        ),
        sa.CheckConstraint("length(digest) = 64", name=op.f("ck_chance_estimate__digest_is_sha256")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_chance_estimate__round_id")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_chance_estimate")),
    )
    op.create_table(
        "chance_line",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("pools", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lines", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["round_id"], ["chance_estimate.round_id"], name=op.f("fk_chance_line__round_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name=op.f("fk_chance_line__programme_id")),
        sa.PrimaryKeyConstraint("round_id", "programme_id", name=op.f("pk_chance_line")),
    )


def downgrade() -> None:
    op.drop_table("chance_line")
    op.drop_table("chance_estimate")
