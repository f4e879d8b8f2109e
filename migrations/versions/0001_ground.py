"""accounts, sign-in, the audit chain, jobs, messages, signatures

Revision ID: 0001_ground
Revises:
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001_ground"
down_revision = None
branch_labels = None
depends_on = None


FUNCTIONS = ("refuse_change", "keep_audit", "upkeep_not_before_its_time", "refuse_change_for_ten_years")


def _create_function(name: str) -> None:
    op.execute((Path(__file__).with_name("sql") / revision / f"{name}.sql").read_text("utf-8"))


def upgrade() -> None:
    for name in FUNCTIONS:
        _create_function(name)

    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("second_factor", sa.LargeBinary(), nullable=True),
        sa.Column("second_factor_used", sa.Integer(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("login", name="uq_account__login"),
        sa.UniqueConstraint("phone_index", name="uq_account__phone_index"),
        sa.CheckConstraint("login IS NULL OR password_hash IS NOT NULL", name=op.f("ck_account__login_needs_password")),
        sa.CheckConstraint(
            "phone IS NOT NULL OR login IS NOT NULL OR disabled_at IS NOT NULL",
            name=op.f("ck_account__somehow_reached"),
        ),
    )

    op.create_table(
        "role_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_role_grant__account_id"), nullable=False
        ),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=True),
        sa.Column("area_code", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_role_grant"),
        sa.UniqueConstraint(
            "account_id",
            "role",
            "kindergarten_id",
            "area_code",
            name="uq_role_grant__account_id_role_kindergarten_id_area_code",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint(
            "(role = 'area_official') = (area_code IS NOT NULL)", name=op.f("ck_role_grant__area_official_has_an_area")
        ),
        sa.CheckConstraint(
            "role IN ('guardian','helper','clerk','head','area_official','city_official','auditor','operator')",
            name=op.f("ck_role_grant__known_role"),
        ),
        sa.CheckConstraint(
            "(role IN ('clerk','head')) = (kindergarten_id IS NOT NULL)",
            name=op.f("ck_role_grant__staff_has_a_kindergarten"),
        ),
    )
    op.create_index("ix_role_grant__account_id", "role_grant", ["account_id"])

    op.create_table(
        "one_time_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_code"),
    )
    op.create_index("ix_one_time_code__phone_index", "one_time_code", ["phone_index"])

    op.create_table(
        "web_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "account_id",
            sa.Uuid(),
            sa.ForeignKey("account.id", name="fk_web_session__account_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_web_session"),
    )
    op.create_index("ix_web_session__account_id", "web_session", ["account_id"])
    op.create_index("ix_web_session__expires_at", "web_session", ["expires_at"])

    op.create_table(
        "done_once",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column(
            "account_id",
            sa.Uuid(),
            sa.ForeignKey("account.id", name="fk_done_once__account_id", ondelete="CASCADE"),
            nullable=True,
        ),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_done_once"),
    )
    op.create_index("ix_done_once__done_at", "done_once", ["done_at"])

    op.create_table(
        "audit_entry",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("link", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entry"),
        sa.UniqueConstraint("link", name="uq_audit_entry__link"),
    )
    op.create_index("ix_audit_entry__account_id", "audit_entry", ["account_id", "number"])
    op.create_index("ix_audit_entry__at", "audit_entry", ["at"], postgresql_using="brin")
    op.create_index("ix_audit_entry__subject", "audit_entry", ["subject", "subject_id"])
    op.create_index("ix_audit_entry__unsealed", "audit_entry", ["number"], postgresql_where=sa.text("link IS NULL"))
    op.execute("CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION keep_audit()")

    op.create_table(
        "upkeep",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("audit_link", sa.BigInteger(), nullable=True),
        sa.Column("audit_digest", sa.LargeBinary(), nullable=True),
        sa.Column("transaction", sa.BigInteger(), nullable=True),
        sa.Column("began", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_upkeep"),
        sa.CheckConstraint(
            "(kind = 'audit') = (audit_link IS NOT NULL) AND (kind = 'audit') = (audit_digest IS NOT NULL)",
            name=op.f("ck_upkeep__audit_says_where"),
        ),
        sa.CheckConstraint("kind IN ('season','decade','audit','reseal')", name=op.f("ck_upkeep__known_kind")),
        sa.CheckConstraint("(kind = 'season') = (year IS NOT NULL)", name=op.f("ck_upkeep__season_has_a_year")),
    )
    op.create_index("ix_upkeep__transaction", "upkeep", ["transaction"])
    _create_function("upkeep_of_now")
    op.execute(
        "CREATE TRIGGER in_time BEFORE INSERT ON upkeep FOR EACH ROW EXECUTE FUNCTION upkeep_not_before_its_time()"
    )
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON upkeep FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )

    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("args", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("done_units", sa.Integer(), nullable=False),
        sa.Column("all_units", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("result_digest", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("dedupe_key", name="uq_job__dedupe_key"),
        sa.CheckConstraint("state IN ('waiting','queued','running','done','failed')", name=op.f("ck_job__known_state")),
    )
    op.create_index(
        "ix_job__due", "job", ["due_at"], postgresql_where=sa.text("state IN ('waiting','queued','running')")
    )

    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_notice__account_id"), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withheld_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sa.UniqueConstraint("key", name="uq_notice__key"),
    )
    op.create_index("ix_notice__account_id", "notice", ["account_id"])
    op.create_index("ix_notice__application_id", "notice", ["application_id"])
    op.create_index("ix_notice__child_id", "notice", ["child_id"], postgresql_where=sa.text("child_id IS NOT NULL"))
    op.create_index(
        "ix_notice__unsent",
        "notice",
        ["created_at"],
        postgresql_where=sa.text("sent_at IS NULL AND withheld_at IS NULL"),
    )

    op.create_table(
        "text_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("to", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_text_message"),
        sa.UniqueConstraint("key", name="uq_text_message__key"),
    )
    op.create_index(
        "ix_text_message__unsent", "text_message", ["written_at"], postgresql_where=sa.text("sent_at IS NULL")
    )

    op.create_table(
        "sent_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("to", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sent_message"),
        sa.UniqueConstraint("key", name="uq_sent_message__key"),
    )
    op.create_index("ix_sent_message__at", "sent_message", ["at"])

    op.create_table(
        "signature",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("account.id", name="fk_signature__account_id"), nullable=False
        ),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signature"),
        sa.UniqueConstraint(
            "subject", "subject_id", "digest", "account_id", name="uq_signature__subject_subject_id_digest_account_id"
        ),
    )
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON signature FOR EACH ROW EXECUTE FUNCTION refuse_change_for_ten_years('signed_at')"
    )

    op.create_table(
        "demo_clock",
        sa.Column("single", sa.Boolean(), nullable=False),
        sa.Column("ahead", sa.Interval(), nullable=False),
        sa.PrimaryKeyConstraint("single", name="pk_demo_clock"),
        sa.CheckConstraint("single", name=op.f("ck_demo_clock__one_row")),
    )


def downgrade() -> None:
    op.drop_table("demo_clock")
    op.drop_table("signature")
    op.drop_table("sent_message")
    op.drop_table("text_message")
    op.drop_table("notice")
    op.drop_table("job")
    op.execute("DROP FUNCTION upkeep_of_now(text)")
    op.drop_table("upkeep")
    op.drop_table("audit_entry")
    op.drop_table("done_once")
    op.drop_table("web_session")
    op.drop_table("one_time_code")
    op.drop_table("role_grant")
    op.drop_table("account")
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}()")
