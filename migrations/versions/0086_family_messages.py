"""messages of a kindergarten to a selection of its families, and its own texts

Revision ID: 0086_family_messages
Revises: 0085_open_days
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0086_family_messages"
down_revision = "0085_open_days"
branch_labels = None
depends_on = None


def _texts() -> list[sa.Column]:
    return [sa.Column(name, sa.String(), nullable=False) for name in ("name", "text_zh", "text_en")]


def _made() -> list[sa.Column]:
    return [
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "message_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        *_texts(),
        *_made(),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_message_template"),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_message_template__kindergarten_id"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_message_template__made_by"),
    )
    op.create_index("ix_message_template__kindergarten_id", "message_template", ["kindergarten_id"])
    op.create_table(
        "family_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        *_texts(),
        sa.Column("chosen", postgresql.JSONB(), nullable=False),
        *_made(),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("out_of_reach", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_family_message"),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_family_message__kindergarten_id"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_family_message__made_by"),
        sa.CheckConstraint(
            "(sent_at IS NULL) = (people IS NULL) AND (sent_at IS NULL) = (out_of_reach IS NULL)",
            name=op.f("ck_family_message__counted_when_sent"),
        ),
    )
    op.create_index("ix_family_message__kindergarten_id", "family_message", ["kindergarten_id", "made_at"])
    op.create_index(
        "ix_family_message__not_sent", "family_message", ["made_at"], postgresql_where=sa.text("sent_at IS NULL")
    )
    op.create_table(
        "family_message_item",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("left_out", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "application_id", name="pk_family_message_item"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["family_message.id"], name="fk_family_message_item__message_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_family_message_item__application_id"),
    )
    op.create_index("ix_family_message_item__application_id", "family_message_item", ["application_id"])


def downgrade() -> None:
    for table in ("family_message_item", "family_message", "message_template"):
        op.drop_table(table)
