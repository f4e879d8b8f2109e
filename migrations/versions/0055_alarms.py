"""alarms of the operation

Revision ID: 0055_alarms
Revises: 0054_backups
"""

import sqlalchemy as sa
from alembic import op

revision = "0055_alarms"
down_revision = "0054_backups"
branch_labels = None
depends_on = None

CODES = "'database_away','queue_away','jobs_late','sender_stuck','seals_late','backup_old','disk_nearly_full'"


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"code IN ({CODES})", name="ck_alarm__known_code"),
        sa.PrimaryKeyConstraint("id", name="pk_alarm"),
    )
    op.create_index(
        "uq_alarm__one_of_a_code", "alarm", ["code"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )


def downgrade() -> None:
    op.drop_table("alarm")
