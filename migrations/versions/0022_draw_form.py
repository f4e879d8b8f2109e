"""declared forms of draws, sessions of witnesses, and what they entered

Draws that have a seed stay `draw/1`.  A draw that waits for its seed needs a declared form and a new freeze.

Revision ID: 0022_draw_form
Revises: 0021_targets
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0022_draw_form"
down_revision = "0021_targets"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql")
ADDED = ("draw_part_is_canonical", "draw_seed_2", "keep_the_witness", "entry_of_a_witness")
REPLACED = {"keep_the_seed": "0008_draw", "keep_the_snapshot": "0014_corrections"}
KEPT = "BEFORE UPDATE OR DELETE"


def _reference(column: str, target: str, table: str, *, nullable: bool = False) -> sa.Column:
    key = sa.ForeignKey(target, name=f"fk_{table}__{column}")
    return sa.Column(column, sa.Uuid(), key, nullable=nullable)


def upgrade() -> None:
    for name in ("draw_part_is_canonical", "draw_seed_2"):
        op.execute((SQL / revision / f"{name}.sql").read_text("utf-8"))
    op.add_column("draw", sa.Column("format", sa.String(), nullable=False, server_default="draw/1"))
    op.add_column("draw", sa.Column("draw_form", sa.String(), nullable=True))
    op.add_column("snapshot", sa.Column("draw_form", sa.String(), nullable=True))
    op.create_table(
        "declared_draw_form",
        sa.Column("id", sa.Uuid(), nullable=False),
        _reference("round_id", "round.id", "declared_draw_form"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        _reference("declared_by", "account.id", "declared_draw_form"),
        sa.PrimaryKeyConstraint("id", name="pk_declared_draw_form"),
        sa.UniqueConstraint("round_id", "number", name="uq_declared_draw_form__round_id_number"),
    )
    op.execute(
        f"CREATE TRIGGER only_added {KEPT} ON declared_draw_form"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_for_ten_years('declared_at')"
    )
    _create_witnesses()
    for name in ("keep_the_witness", "entry_of_a_witness", *REPLACED):
        op.execute((SQL / revision / f"{name}.sql").read_text("utf-8"))
    op.execute(f"CREATE TRIGGER kept {KEPT} ON witness_session FOR EACH ROW EXECUTE FUNCTION keep_the_witness()")
    op.execute(
        "CREATE TRIGGER of_a_witness BEFORE INSERT ON seed_entry FOR EACH ROW EXECUTE FUNCTION entry_of_a_witness()"
    )
    op.execute(
        f"CREATE TRIGGER only_added {KEPT} ON seed_entry"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_for_ten_years('entered_at')"
    )


def _create_witnesses() -> None:
    name = "witness_session"
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        _reference("draw_id", "draw.id", name),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("office", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        _reference("requested_by", "account.id", name),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        _reference("approved_by", "account.id", name, nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_digest", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("browser_digest", sa.LargeBinary(), nullable=True),
        _reference("revoked_by", "account.id", name, nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_witness_session"),
        sa.UniqueConstraint("token_digest", name="uq_witness_session__token_digest"),
        sa.CheckConstraint("part IN ('beacon','ceremony')", name=op.f("ck_witness_session__known_part")),
        sa.CheckConstraint(
            "office IN ('notary','parent','inspector','other')", name=op.f("ck_witness_session__known_office")
        ),
        sa.CheckConstraint("approved_by <> requested_by", name=op.f("ck_witness_session__second_person")),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by IS NULL) AND (approved_at IS NULL) = (code_digest IS NULL)",
            name=op.f("ck_witness_session__approved_has_a_code"),
        ),
        sa.CheckConstraint(
            "(opened_at IS NULL) = (browser_digest IS NULL) AND (opened_at IS NULL OR approved_at IS NOT NULL)",
            name=op.f("ck_witness_session__opened_after_approval"),
        ),
    )
    op.create_index("ix_witness_session__draw_id", name, ["draw_id"])
    op.create_index(
        "uq_witness_session__one_browser",
        name,
        ["draw_id", "commitment", "part", "attempt", "browser_digest"],
        unique=True,
        postgresql_where=sa.text("browser_digest IS NOT NULL"),
    )
    op.create_table(
        "seed_entry",
        _reference("session_id", "witness_session.id", "seed_entry"),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", name="pk_seed_entry"),
    )


def downgrade() -> None:
    for name, earlier in REPLACED.items():
        text = (SQL / earlier / f"{name}.sql").read_text("utf-8")
        op.execute(text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    for table in ("seed_entry", "witness_session", "declared_draw_form"):
        op.drop_table(table)
    op.drop_column("snapshot", "draw_form")
    op.drop_column("draw", "draw_form")
    op.drop_column("draw", "format")
    for name in reversed(ADDED):
        op.execute(f"DROP FUNCTION {name}")
