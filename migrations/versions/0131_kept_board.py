"""the board of children without a place, kept ready by triggers; an index of the open offers of a round

Revision ID: 0131_kept_board
Revises: 0128_page_likeness
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0131_kept_board"
down_revision = "0128_page_likeness"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision
FUNCTIONS = {
    "mark_unserved": "integer[], uuid[]",
    "mark_new_offers": "",
    "mark_gone_offers": "",
    "mark_answered_offers": "",
    "mark_application": "",
    "mark_year": "",
    "mark_all_years": "",
}
NEW = "REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT"
OLD = "REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT"
BOTH = "REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT"
LEFT = "stage IN ('refused','withdrawn')"
OFFICIAL = "IN ('area_official','city_official')"
TRIGGERS = (
    ("marked_new", "offer", "INSERT", NEW, "mark_new_offers"),
    ("marked_answer", "offer", "UPDATE", BOTH, "mark_answered_offers"),
    ("marked_gone", "offer", "DELETE", OLD, "mark_gone_offers"),
    (
        "marked_stage",
        "application",
        "UPDATE OF stage, review_kindergarten_id",
        f"FOR EACH ROW WHEN ((OLD.stage <> NEW.stage AND (OLD.{LEFT} OR NEW.{LEFT}))"
        " OR (OLD.stage <> 'draft' AND OLD.review_kindergarten_id IS DISTINCT FROM NEW.review_kindergarten_id))",
        "mark_application",
    ),
    (
        "marked_home",
        "household",
        "UPDATE OF home_area",
        "FOR EACH ROW WHEN (OLD.home_area IS DISTINCT FROM NEW.home_area)",
        "mark_application",
    ),
    ("marked_household", "household", "INSERT OR DELETE", "FOR EACH ROW", "mark_application"),
    ("marked_word", "unserved_child", "INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "mark_application"),
    ("marked_choice", "chosen_place", "INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "mark_application"),
    ("marked_proposal", "central_proposal", "INSERT OR UPDATE OR DELETE", "FOR EACH ROW", "mark_application"),
    (
        "marked_publication",
        "run",
        "UPDATE OF published_at",
        "FOR EACH ROW WHEN (OLD.published_at IS DISTINCT FROM NEW.published_at)",
        "mark_year",
    ),
    ("marked_published", "run", "INSERT", "FOR EACH ROW WHEN (NEW.published_at IS NOT NULL)", "mark_year"),
    ("marked_officer_new", "role_grant", "INSERT", f"FOR EACH ROW WHEN (NEW.role {OFFICIAL})", "mark_all_years"),
    ("marked_officer_gone", "role_grant", "DELETE", f"FOR EACH ROW WHEN (OLD.role {OFFICIAL})", "mark_all_years"),
    (
        "marked_officer",
        "role_grant",
        "UPDATE",
        f"FOR EACH ROW WHEN (OLD.role {OFFICIAL} OR NEW.role {OFFICIAL})",
        "mark_all_years",
    ),
    (
        "marked_account",
        "account",
        "UPDATE OF disabled_at",
        "FOR EACH ROW WHEN (NEW.login IS NOT NULL AND OLD.disabled_at IS DISTINCT FROM NEW.disabled_at)",
        "mark_all_years",
    ),
    (
        "marked_area",
        "kindergarten",
        "UPDATE OF area_code",
        "FOR EACH ROW WHEN (OLD.area_code IS DISTINCT FROM NEW.area_code)",
        "mark_all_years",
    ),
)
INDEXES = {
    "ix_unserved_entry__board": ["year", "position", "code"],
    "ix_unserved_entry__area": ["year", "area", "position", "code"],
    "ix_unserved_entry__officer": ["year", "officer_id", "position", "code"],
}
OPEN_OFFERS = "ix_offer__open"


def _counted(table: str) -> sa.Column:
    return sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            OPEN_OFFERS, "offer", ["round_id", "answer_by"],
            postgresql_where=sa.text("state = 'offered'"), postgresql_concurrently=True, if_not_exists=True,
        )  # fmt: skip
    op.create_table(
        "unserved_change",
        _counted("unserved_change"),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_unserved_change"),
    )
    op.create_index("ix_unserved_change__year", "unserved_change", ["year"])
    op.create_table(
        "unserved_entry",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name="fk_unserved_entry__application_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("application_id", name="pk_unserved_entry"),
    )
    for name, columns in INDEXES.items():
        op.create_index(name, "unserved_entry", columns)
    op.create_table(
        "unserved_count",
        _counted("unserved_count"),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("officer_id", sa.Uuid(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unserved_count"),
    )
    op.create_index("ix_unserved_count__year", "unserved_count", ["year"])
    for name in FUNCTIONS:
        op.execute((SQL / f"{name}.sql").read_text("utf-8"))
    for name, table, when, rows, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} AFTER {when} ON {table} {rows} EXECUTE FUNCTION {function}()")
    op.execute("""
        INSERT INTO unserved_change (year)
        SELECT DISTINCT round.year FROM run JOIN round ON round.id = run.round_id WHERE run.published_at IS NOT NULL
    """)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(OPEN_OFFERS, "offer", postgresql_concurrently=True, if_exists=True)
    for name, table, *_rest in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name, arguments in reversed(FUNCTIONS.items()):
        op.execute(f"DROP FUNCTION {name}({arguments})")
    for table in ("unserved_count", "unserved_entry", "unserved_change"):
        op.drop_table(table)
