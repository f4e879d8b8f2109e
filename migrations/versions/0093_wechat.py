"""WeChat as a second channel of notices: bindings, a queue, and the trigger that fills it

Revision ID: 0093_wechat
Revises: 0092_announcements
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0093_wechat"
down_revision = "0092_announcements"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision
STATES = ("waiting", "sending", "sent", "delivered", "undeliverable", "given_up", "withheld")


def _at(name: str, *, nullable: bool = True, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def upgrade() -> None:
    op.create_table(
        "wechat_binding",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("openid", sa.LargeBinary(), nullable=False),
        sa.Column("openid_index", sa.LargeBinary(), nullable=False),
        _at("bound_at", nullable=False),
        _at("paused_at"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_wechat_binding__account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_wechat_binding"),
        sa.UniqueConstraint("openid_index", name="uq_wechat_binding__openid_index"),
    )
    op.create_table(
        "wechat_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        _at("written_at", nullable=False),
        _at("sent_at"),
        sa.Column("state", sa.String(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        _at("next_try_at", nullable=False, default="1970-01-01T00:00:00+00:00"),
        sa.Column("claim", sa.Uuid(), nullable=True),
        _at("lease_until"),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("provider_id", sa.String(), nullable=True),
        _at("delivered_at"),
        sa.ForeignKeyConstraint(["id"], ["notice.id"], name="fk_wechat_notice__id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_wechat_notice"),
        sa.CheckConstraint("state IN ('" + "','".join(STATES) + "')", name=op.f("ck_wechat_notice__known_state")),
    )
    waiting, sending = sa.text("state = 'waiting'"), sa.text("state = 'sending'")
    op.create_index(
        "ix_wechat_notice__waiting", "wechat_notice", ["next_try_at", "written_at"], postgresql_where=waiting
    )
    op.create_index("ix_wechat_notice__sending", "wechat_notice", ["lease_until"], postgresql_where=sending)
    op.execute((SQL / "notices_to_wechat.sql").read_text())
    op.execute(
        "CREATE TRIGGER to_wechat AFTER INSERT ON notice REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION notices_to_wechat()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER to_wechat ON notice")
    op.execute("DROP FUNCTION notices_to_wechat()")
    op.drop_table("wechat_notice")
    op.drop_table("wechat_binding")
