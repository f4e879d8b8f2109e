"""correction requests, replaced notices, corrected roll entries, and lists that a correction outdates

Revision ID: 0014_corrections
Revises: 0013_family_forms
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014_corrections"
down_revision = "0013_family_forms"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql")
REPLACED = ("keep_the_snapshot", "keep_the_run")
UNDECIDED = sa.text("state IN ('open','signed')")


def _reference(column: str, target: str, table: str, *, nullable: bool = False) -> sa.Column:
    key = sa.ForeignKey(target, name=f"fk_{table}__{column}")
    type_ = sa.String() if target == "area.code" else sa.Uuid()
    return sa.Column(column, type_, key, nullable=nullable)


def upgrade() -> None:
    _create_requests()
    _create_moves_and_pages()
    op.create_table(
        "replaced_notice",
        sa.Column("code", sa.String(), nullable=False),
        _reference("offer_id", "offer.id", "replaced_notice"),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_replaced_notice"),
    )
    op.create_index("ix_replaced_notice__offer_id", "replaced_notice", ["offer_id"])
    op.create_table(
        "roll_correction",
        sa.Column("id", sa.Uuid(), nullable=False),
        _reference("roll_child_id", "roll_child.id", "roll_correction"),
        sa.Column("corrected_on", sa.Date(), nullable=False),
        sa.Column("changed", postgresql.JSONB(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        _reference("account_id", "account.id", "roll_correction", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_roll_correction"),
    )
    op.create_index("ix_roll_correction__roll_child_id", "roll_correction", ["roll_child_id"])
    op.add_column("snapshot", sa.Column("outdated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("snapshot", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("snapshot", sa.Column("corrections", postgresql.JSONB(), nullable=True))
    for name in REPLACED:
        op.execute((SQL / revision / f"{name}.sql").read_text("utf-8"))


def _create_requests() -> None:
    name = "correction_request"
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        _reference("application_id", "application.id", name),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("after", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        _reference("guardian_id", "guardian.id", name, nullable=True),
        _reference("duplicate_of", "application.id", name, nullable=True),
        _reference("kindergarten_id", "kindergarten.id", name, nullable=True),
        _reference("area_code", "area.code", name, nullable=True),
        _reference("requested_by", "account.id", name),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('name','birth_date','document','sex','other_identity','facts','duplicate','court_paper')",
            name="ck_correction_request__known_kind",
        ),
        sa.CheckConstraint(
            "state IN ('open','signed','applied','refused','withdrawn')", name="ck_correction_request__known_state"
        ),
        sa.CheckConstraint(
            "(state IN ('open','signed')) = (decided_at IS NULL)", name="ck_correction_request__decided_has_a_time"
        ),
        sa.CheckConstraint(
            "(kind = 'duplicate') = (duplicate_of IS NOT NULL)", name="ck_correction_request__duplicate_of_another"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_correction_request"),
    )
    for column in ("application_id", "guardian_id", "duplicate_of", "requested_by"):
        op.create_index(f"ix_correction_request__{column}", name, [column])
    op.create_index("ix_correction_request__due", name, ["due_at"], postgresql_where=UNDECIDED)
    op.create_index(
        "uq_correction_request__one_open",
        name,
        ["application_id", "kind", "fact"],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=UNDECIDED,
    )


def _create_moves_and_pages() -> None:
    op.create_table(
        "correction_move",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _reference("request_id", "correction_request.id", "correction_move"),
        _reference("application_id", "application.id", "correction_move"),
        sa.Column("move", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=False),
        _reference("account_id", "account.id", "correction_move", nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_correction_move"),
    )
    op.create_index("ix_correction_move__request_id", "correction_move", ["request_id"])
    op.create_index("ix_correction_move__application_id", "correction_move", ["application_id"])
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON correction_move "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_a_family()"
    )
    op.create_table(
        "correction_page",
        sa.Column("id", sa.Uuid(), nullable=False),
        _reference("request_id", "correction_request.id", "correction_page"),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("original_digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_correction_page"),
        sa.UniqueConstraint("request_id", "original_digest", name="uq_correction_page__request_id_original_digest"),
    )


def downgrade() -> None:
    for name in REPLACED:
        earlier = (SQL / "0008_draw" / f"{name}.sql").read_text("utf-8")
        op.execute(earlier.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    for column in ("corrections", "reason", "outdated_at"):
        op.drop_column("snapshot", column)
    for table in ("roll_correction", "replaced_notice", "correction_page", "correction_move", "correction_request"):
        op.drop_table(table)
