"""what families chose about their text messages

Revision ID: 0087_message_choices
Revises: 0078_seat_search
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0087_message_choices"
down_revision = "0078_seat_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message_choice",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("muted", postgresql.JSONB(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(quiet_from IS NULL AND quiet_until IS NULL)"
            " OR (quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23 AND quiet_from <> quiet_until)",
            name=op.f("ck_message_choice__hours_of_a_day"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_message_choice__account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_message_choice"),
    )


def downgrade() -> None:
    op.drop_table("message_choice")
