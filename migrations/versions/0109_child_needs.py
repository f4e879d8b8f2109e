"""what a family tells of its child's needs

Revision ID: 0109_child_needs
Revises: 0108_likeness_indexes
"""

import sqlalchemy as sa
from alembic import op

revision = "0109_child_needs"
down_revision = "0108_likeness_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "child_needs",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("kinds", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("said_by", sa.Uuid(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name="fk_child_needs__application_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["said_by"], ["account.id"], name="fk_child_needs__said_by"),
        sa.PrimaryKeyConstraint("application_id", name="pk_child_needs"),
    )


def downgrade() -> None:
    op.drop_table("child_needs")
