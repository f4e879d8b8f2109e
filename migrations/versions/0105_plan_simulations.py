"""simulations of plans, plans without a promise, and plans on paper

Revision ID: 0105_plan_simulations
Revises: 0093_wechat
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0105_plan_simulations"
down_revision = "0093_wechat"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("measure_plan", sa.Column("relaxed_from", sa.Uuid(), nullable=True))
    op.add_column("measure_plan", sa.Column("relaxed", sa.String(), nullable=True))
    op.execute(
        "ALTER TABLE measure_plan ADD CONSTRAINT fk_measure_plan__relaxed_from"
        " FOREIGN KEY (relaxed_from) REFERENCES measure_plan (id) NOT VALID"
    )
    op.execute(
        "ALTER TABLE measure_plan ADD CONSTRAINT ck_measure_plan__relaxed_of_a_plan"
        " CHECK ((relaxed_from IS NULL) = (relaxed IS NULL)) NOT VALID"
    )
    op.create_table(
        "plan_simulation",
        sa.Column("plan_id", sa.Uuid(), sa.ForeignKey("measure_plan.id", name="fk_plan_simulation__plan_id")),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id", name="fk_plan_simulation__job_id", ondelete="SET NULL")),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", name="pk_plan_simulation"),
        sa.CheckConstraint("state IN ('running','done','refused')", name=op.f("ck_plan_simulation__known_state")),
    )
    op.create_table(
        "plan_paper",
        sa.Column("plan_id", sa.Uuid(), sa.ForeignKey("measure_plan.id", name="fk_plan_paper__plan_id")),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("job_id", sa.Uuid(), sa.ForeignKey("job.id", name="fk_plan_paper__job_id", ondelete="SET NULL")),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("page", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", "language", name="pk_plan_paper"),
        sa.CheckConstraint("page IS NULL OR content IS NULL", name=op.f("ck_plan_paper__page_or_content")),
    )


def downgrade() -> None:
    op.drop_table("plan_paper")
    op.drop_table("plan_simulation")
    op.drop_constraint(op.f("ck_measure_plan__relaxed_of_a_plan"), "measure_plan")
    op.drop_constraint("fk_measure_plan__relaxed_from", "measure_plan")
    op.drop_column("measure_plan", "relaxed")
    op.drop_column("measure_plan", "relaxed_from")
