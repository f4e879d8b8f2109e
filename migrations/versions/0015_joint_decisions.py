"""joint decisions of guardians

Revision ID: 0015_joint_decisions
Revises: 0014_corrections
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015_joint_decisions"
down_revision = "0014_corrections"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "joint_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("takes_effect_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_joint_decision"),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_joint_decision__application_id"),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name="fk_joint_decision__offer_id"),
        sa.ForeignKeyConstraint(["proposed_by"], ["account.id"], name="fk_joint_decision__proposed_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name="fk_joint_decision__ended_by"),
        sa.CheckConstraint("kind IN ('decline','withdraw')", name=op.f("ck_joint_decision__known_kind")),
        sa.CheckConstraint(
            "state IN ('waiting','agreed','effective','objected','taken_back','void')",
            name=op.f("ck_joint_decision__known_state"),
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_joint_decision__ended_or_waiting")
        ),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("ix_joint_decision__act_id", "joint_decision", ["act_id"])
    op.create_index("ix_joint_decision__application_id", "joint_decision", ["application_id"])
    op.create_index(
        "uq_joint_decision__one_waiting", "joint_decision", ["application_id"], unique=True, postgresql_where=waiting
    )
    op.create_index("ix_joint_decision__due", "joint_decision", ["takes_effect_at"], postgresql_where=waiting)
    op.create_index(
        "ix_joint_decision__offer_id",
        "joint_decision",
        ["offer_id"],
        postgresql_where=sa.text("offer_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("joint_decision")
