"""phone changes, access codes, desks, disputes with an officer, guardians by case

Revision ID: 0016_guardians_and_phones
Revises: 0015_joint_decisions
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_guardians_and_phones"
down_revision = "0015_joint_decisions"
branch_labels = None
depends_on = None

WITHOUT_A_PHONE = "(way = 'paper') = (paper IS NOT NULL AND signed_name IS NOT NULL AND signed_on IS NOT NULL)"
WITH_A_PHONE = "(way = 'paper') = (paper IS NOT NULL AND signed_name IS NOT NULL AND signed_on IS NOT NULL AND phone_index IS NOT NULL)"
KINDS = "'guardians_dispute','appeal','disability','register_dispute'"
MORE_KINDS = "'guardians_dispute','appeal','disability','register_dispute','add_guardian','remove_guardian'"


def _id() -> sa.Column:
    return sa.Column("id", sa.Uuid(), nullable=False)


def _reference(table: str, column: str, to: str, *, nullable: bool = False, ondelete: str | None = None) -> sa.Column:
    key = sa.ForeignKey(f"{to}.id", name=f"fk_{table}__{column}", ondelete=ondelete)
    return sa.Column(column, sa.Uuid(), key, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create_desk_tables() -> None:
    op.create_table(
        "identity_check",
        _id(),
        _reference("identity_check", "account_id", "account"),
        _reference("identity_check", "application_id", "application"),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("document_kind", sa.String(), nullable=False),
        sa.Column("document_end", sa.LargeBinary(), nullable=False),
        _reference("identity_check", "checked_by", "account"),
        _time("checked_at"),
        sa.PrimaryKeyConstraint("id", name="pk_identity_check"),
    )
    op.create_index("ix_identity_check__account_id", "identity_check", ["account_id"])
    op.create_index("ix_identity_check__application_id", "identity_check", ["application_id"])
    op.create_table(
        "phone_change",
        _id(),
        _reference("phone_change", "account_id", "account"),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("new_phone", sa.LargeBinary(), nullable=False),
        sa.Column("old_answered", sa.Boolean(), nullable=False),
        _reference("phone_change", "asked_by", "account"),
        _time("asked_at"),
        _reference("phone_change", "identity_check_id", "identity_check", nullable=True),
        _reference("phone_change", "application_id", "application", nullable=True),
        _reference("phone_change", "confirmed_by", "account", nullable=True),
        _time("confirmed_at", nullable=True),
        _time("effective_at", nullable=True),
        sa.Column("stop_digest", sa.LargeBinary(), nullable=False),
        _time("ended_at", nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_phone_change"),
        sa.UniqueConstraint("stop_digest", name="uq_phone_change__stop_digest"),
        sa.CheckConstraint("way IN ('session','desk')", name=op.f("ck_phone_change__known_way")),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> asked_by", name=op.f("ck_phone_change__two_people")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_phone_change__an_end_has_an_outcome")
        ),
    )
    open_ = sa.text("ended_at IS NULL")
    op.create_index("uq_phone_change__one_open", "phone_change", ["account_id"], unique=True, postgresql_where=open_)
    op.create_index("ix_phone_change__due", "phone_change", ["effective_at"], postgresql_where=open_)
    op.create_index("ix_phone_change__application_id", "phone_change", ["application_id"])
    op.create_table(
        "access_code",
        _id(),
        _reference("access_code", "account_id", "account"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _reference("access_code", "identity_check_id", "identity_check"),
        _reference("access_code", "issued_by", "account"),
        _time("issued_at"),
        _time("expires_at"),
        _time("revoked_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_code"),
        sa.UniqueConstraint("digest", name="uq_access_code__digest"),
    )
    live = sa.text("revoked_at IS NULL")
    op.create_index("ix_access_code__account_id", "access_code", ["account_id"])
    op.create_index("uq_access_code__one_live", "access_code", ["account_id"], unique=True, postgresql_where=live)
    op.create_table(
        "access_code_use",
        _id(),
        _reference("access_code_use", "access_code_id", "access_code", ondelete="CASCADE"),
        _time("used_at"),
        _time("told_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_code_use"),
    )
    op.create_index("ix_access_code_use__access_code_id", "access_code_use", ["access_code_id"])
    op.create_table(
        "desk_contact",
        _id(),
        _reference("desk_contact", "application_id", "application"),
        sa.Column("way", sa.String(), nullable=False),
        _reference("desk_contact", "reached_by", "account"),
        _time("reached_at"),
        sa.PrimaryKeyConstraint("id", name="pk_desk_contact"),
        sa.CheckConstraint("way IN ('call','letter','visit')", name=op.f("ck_desk_contact__known_way")),
    )
    op.create_index("ix_desk_contact__application_id", "desk_contact", ["application_id"])


def _create_guardian_requests() -> None:
    op.create_table(
        "guardian_request",
        _id(),
        _reference("guardian_request", "case_id", "case_file"),
        _reference("guardian_request", "child_id", "child"),
        _reference("guardian_request", "guardian_id", "guardian", nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("paper", sa.LargeBinary(), nullable=False),
        sa.Column("paper_type", sa.String(), nullable=False),
        _reference("guardian_request", "proposed_by", "account", nullable=True),
        _time("proposed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_guardian_request"),
        sa.UniqueConstraint("case_id", name="uq_guardian_request__case_id"),
        sa.CheckConstraint(
            "(guardian_id IS NULL) <> (phone IS NULL)", name=op.f("ck_guardian_request__removes_or_adds")
        ),
    )
    op.create_index("ix_guardian_request__child_id", "guardian_request", ["child_id"])


def _add_columns() -> None:
    op.add_column("one_time_code", sa.Column("browser", sa.LargeBinary(), nullable=True))
    op.add_column("one_time_code", sa.Column("address", sa.LargeBinary(), nullable=True))
    op.add_column("one_time_code", sa.Column("known", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("desk_phone", sa.String(), nullable=True))
    op.add_column("case_file", sa.Column("officer_id", sa.Uuid(), nullable=True))
    op.add_column("case_file", _time("held_at", nullable=True))
    op.add_column("case_file", _time("hold_ended_at", nullable=True))
    op.add_column("guardianship", _time("removed_at", nullable=True))
    op.add_column("invitation", sa.Column("case_id", sa.Uuid(), nullable=True))


def _replace(name: str, table: str, condition: str) -> None:
    _drop(name, table)
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")


def _drop(name: str, table: str) -> None:
    # the version that still runs writes only rows that the wider constraint allows too
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT {name}")


def _refer(table: str, column: str, to: str) -> None:
    name = f"fk_{table}__{column}"
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {to} (id) NOT VALID")


def upgrade() -> None:
    _create_desk_tables()
    _create_guardian_requests()
    _add_columns()
    _drop("ck_account__somehow_reached", "account")
    _replace("ck_mandate__a_paper_is_there", "mandate", WITHOUT_A_PHONE)
    _replace("ck_case_file__known_kind", "case_file", f"kind IN ({MORE_KINDS})")
    _refer("case_file", "officer_id", "account")
    _refer("invitation", "case_id", "case_file")


def downgrade() -> None:
    _replace("ck_case_file__known_kind", "case_file", f"kind IN ({KINDS})")
    _replace("ck_mandate__a_paper_is_there", "mandate", WITH_A_PHONE)
    op.execute(
        "ALTER TABLE account ADD CONSTRAINT ck_account__somehow_reached"
        " CHECK (phone IS NOT NULL OR login IS NOT NULL OR disabled_at IS NOT NULL) NOT VALID"
    )
    op.drop_column("invitation", "case_id")
    op.drop_column("guardianship", "removed_at")
    for column in ("hold_ended_at", "held_at", "officer_id"):
        op.drop_column("case_file", column)
    op.drop_column("account", "desk_phone")
    for column in ("known", "address", "browser"):
        op.drop_column("one_time_code", column)
    for table in (
        "guardian_request", "desk_contact", "access_code_use", "access_code", "phone_change", "identity_check"
    ):  # fmt: skip
        op.drop_table(table)
