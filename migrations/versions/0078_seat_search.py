"""searches for the places that help most

Revision ID: 0078_seat_search
Revises: 0086_family_messages
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0078_seat_search"
down_revision = "0086_family_messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seat_search",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("round_id", sa.Uuid(), sa.ForeignKey("round.id", name="fk_seat_search__round_id"), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_seat_search__made_by"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "job_id",
            sa.Uuid(),
            sa.ForeignKey("job.id", name="fk_seat_search__job_id", ondelete="SET NULL"),
            nullable=True,
        ),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_seat_search"),
        sa.CheckConstraint("state IN ('running','done','stopped','refused')", name=op.f("ck_seat_search__known_state")),
        sa.CheckConstraint(
            "places BETWEEN 1 AND 2000 AND step BETWEEN 1 AND places", name=op.f("ck_seat_search__some_places")
        ),
        sa.CheckConstraint("draws BETWEEN 1 AND 100", name=op.f("ck_seat_search__some_draws")),
    )


def downgrade() -> None:
    op.drop_table("seat_search")
