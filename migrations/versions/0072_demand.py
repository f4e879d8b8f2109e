"""how many children ask for each programme

Revision ID: 0072_demand
Revises: 0071_named_place
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0072_demand"
down_revision = "0071_named_place"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE import_file VALIDATE CONSTRAINT ck_import_file__known_kind")
    op.create_table(
        "demand",
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("children", sa.Integer(), nullable=True),
        sa.Column("first", sa.Integer(), nullable=True),
        sa.Column("tiers", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("children >= 10 AND first >= 0 AND first <= children", name="ck_demand__no_small_numbers"),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_demand__round_id"),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_demand__programme_id"),
        sa.PrimaryKeyConstraint("round_id", "programme_id", name="pk_demand"),
    )


def downgrade() -> None:
    op.drop_table("demand")
