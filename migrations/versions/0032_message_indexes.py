"""indexes of the messages that wait, are being sent, or failed

Revision ID: 0032_message_indexes
Revises: 0031_valid_message_states
"""

import sqlalchemy as sa
from alembic import op

revision = "0032_message_indexes"
down_revision = "0031_valid_message_states"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_notice__waiting", "notice", ["next_try_at", "created_at"], "state = 'waiting'"),
    ("ix_notice__sending", "notice", ["lease_until"], "state = 'sending'"),
    ("ix_notice__failed", "notice", ["created_at"], "state IN ('undeliverable','given_up')"),
    (
        "ix_text_message__codes",
        "text_message",
        ["next_try_at", "written_at"],
        "state = 'waiting' AND expires_at IS NOT NULL",
    ),
    (
        "ix_text_message__waiting",
        "text_message",
        ["next_try_at", "written_at"],
        "state = 'waiting' AND expires_at IS NULL",
    ),
    ("ix_text_message__sending", "text_message", ["lease_until"], "state = 'sending'"),
)
REPLACED = (
    ("ix_notice__unsent", "notice", ["created_at"], "sent_at IS NULL AND withheld_at IS NULL"),
    ("ix_text_message__unsent", "text_message", ["written_at"], "sent_at IS NULL"),
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, table, columns, where in INDEXES:
            op.create_index(
                name, table, columns, postgresql_where=sa.text(where), postgresql_concurrently=True, if_not_exists=True
            )
        for name, table, _columns, _where in REPLACED:
            op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    for name, table, columns, where in REPLACED:
        op.create_index(name, table, columns, postgresql_where=sa.text(where))
    for name, table, _columns, _where in INDEXES:
        op.drop_index(name, table)
