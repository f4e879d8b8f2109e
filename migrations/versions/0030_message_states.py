"""the outbox is the queue: each message has its own state, tries and next try

Revision ID: 0030_message_states
Revises: 0027_season_days
"""

import sqlalchemy as sa
from alembic import op

revision = "0030_message_states"
down_revision = "0029_invited_phone"
branch_labels = None
depends_on = None

STATES = "'waiting','sending','sent','delivered','undeliverable','given_up','withheld'"
AT_ONCE = "1970-01-01T00:00:00+00:00"
TABLES = ("notice", "text_message")
COLUMNS = ("state", "tries", "next_try_at", "claim", "lease_until", "last_error", "provider_id", "delivered_at")


def _moment(name: str, *, nullable: bool = True, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def upgrade() -> None:
    for table in TABLES:
        # almost every row was sent; the constant default writes it without touching the rows
        op.add_column(table, sa.Column("state", sa.String(), nullable=False, server_default="sent"))
        op.alter_column(table, "state", server_default="waiting")
        op.add_column(table, sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, _moment("next_try_at", nullable=False, default=AT_ONCE))
        op.add_column(table, sa.Column("claim", sa.Uuid(), nullable=True))
        op.add_column(table, _moment("lease_until"))
        op.add_column(table, sa.Column("last_error", sa.String(), nullable=True))
        op.add_column(table, sa.Column("provider_id", sa.String(), nullable=True))
        op.add_column(table, _moment("delivered_at"))
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}__known_state CHECK (state IN ({STATES})) NOT VALID")
    op.add_column("text_message", _moment("expires_at"))
    op.execute("UPDATE text_message SET state = 'waiting' WHERE sent_at IS NULL")
    op.execute("UPDATE notice SET state = 'waiting' WHERE sent_at IS NULL AND withheld_at IS NULL")
    op.execute("UPDATE notice SET state = 'withheld' WHERE sent_at IS NULL AND withheld_at IS NOT NULL")
    op.execute("DELETE FROM job WHERE kind IN ('send_texts','send_notices') AND state IN ('waiting','queued')")
    op.create_table(
        "unreachable_number",
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        _moment("since", nullable=False),
        _moment("last_at", nullable=False),
        sa.PrimaryKeyConstraint("phone_index", name="pk_unreachable_number"),
    )
    op.create_table(
        "sender_status",
        sa.Column("lane", sa.String(), nullable=False),
        _moment("seen_at", nullable=False),
        _moment("down_since"),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("lane", name="pk_sender_status"),
    )


def downgrade() -> None:
    op.drop_table("sender_status")
    op.drop_table("unreachable_number")
    op.drop_column("text_message", "expires_at")
    for table in TABLES:
        op.drop_constraint(f"ck_{table}__known_state", table)
        for column in reversed(COLUMNS):
            op.drop_column(table, column)
