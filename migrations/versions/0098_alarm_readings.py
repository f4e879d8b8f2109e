"""who read the alarms of the two shares

Revision ID: 0098_alarm_readings
Revises: 0097_account_changes
"""

import sqlalchemy as sa
from alembic import op

revision = "0098_alarm_readings"
down_revision = "0097_account_changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm_reading",
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("share IN ('public','inclusive')", name=op.f("ck_alarm_reading__known_share")),
        sa.CheckConstraint("state IN ('below','falling','tight')", name=op.f("ck_alarm_reading__known_state")),
        sa.ForeignKeyConstraint(["area_code"], ["area.code"], name="fk_alarm_reading__area_code"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_alarm_reading__account_id"),
        sa.PrimaryKeyConstraint("area_code", "share", "year", "state", "account_id", name="pk_alarm_reading"),
    )


def downgrade() -> None:
    op.drop_table("alarm_reading")
