"""who was seen at the door

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arrival_check",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("health_on", sa.Date(), nullable=True),
        sa.Column("vaccination_on", sa.Date(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_arrival_check__offer_id")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_arrival_check__account_id")),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_arrival_check")),
    )


def downgrade() -> None:
    op.drop_table("arrival_check")
