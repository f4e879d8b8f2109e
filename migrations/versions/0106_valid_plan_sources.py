"""the source of a plan without a promise is valid for the plans from before

Revision ID: 0106_valid_plan_sources
Revises: 0105_plan_simulations
"""

from alembic import op

revision = "0106_valid_plan_sources"
down_revision = "0105_plan_simulations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE measure_plan VALIDATE CONSTRAINT fk_measure_plan__relaxed_from")
    op.execute("ALTER TABLE measure_plan VALIDATE CONSTRAINT ck_measure_plan__relaxed_of_a_plan")


def downgrade() -> None:
    """A valid constraint stays valid."""
