"""how fast the places of a kind of measure open

Revision ID: 0110_measure_ramps
Revises: 0122_review_index
"""

import sqlalchemy as sa
from alembic import op

revision = "0110_measure_ramps"
down_revision = "0122_review_index"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measure_ramp",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("second", sa.Integer(), nullable=False),
        sa.Column("third", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_measure_ramp__changed_by")),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_measure_ramp"),
        sa.CheckConstraint(
            "kind IN ('build','enlarge','affiliated','estate')", name=op.f("ck_measure_ramp__kind_that_opens")
        ),
        sa.CheckConstraint(
            "first BETWEEN 1 AND second AND second <= third AND third <= 100",
            name=op.f("ck_measure_ramp__never_fewer_places"),
        ),
    )


def downgrade() -> None:
    op.drop_table("measure_ramp")
