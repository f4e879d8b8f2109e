"""the policy laboratory: studies, their variants and results

Revision ID: 0074_policy_laboratory
Revises: 0062_class_loss
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0074_policy_laboratory"
down_revision = "0062_class_loss"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "laboratory_study",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("round_id", sa.Uuid(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("children", sa.Integer(), nullable=True),
        sa.Column("fitted", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft','running','done','stopped','refused')", name="ck_laboratory_study__known_state"
        ),
        sa.CheckConstraint("draws BETWEEN 2 AND 1000", name="ck_laboratory_study__some_draws"),
        sa.CheckConstraint("length(name) > 0", name="ck_laboratory_study__has_a_name"),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_laboratory_study__round_id"),
        sa.ForeignKeyConstraint(["policy_id"], ["policy.id"], name="fk_laboratory_study__policy_id"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_laboratory_study__made_by"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk_laboratory_study__job_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_laboratory_study"),
    )
    op.create_index("ix_laboratory_study__policy_id", "laboratory_study", ["policy_id"])
    op.create_table(
        "laboratory_variant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("study_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("variant", postgresql.JSONB(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["study_id"], ["laboratory_study.id"], name="fk_laboratory_variant__study_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_laboratory_variant"),
        sa.UniqueConstraint("study_id", "number", name="uq_laboratory_variant__number"),
    )


def downgrade() -> None:
    op.drop_table("laboratory_variant")
    op.drop_table("laboratory_study")
