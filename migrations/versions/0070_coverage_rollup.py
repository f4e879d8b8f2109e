"""counts of each area kept ready for the pages of the two shares

Revision ID: 0070_coverage_rollup
Revises: 0072_demand
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0070_coverage_rollup"
down_revision = "0072_demand"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql")
BEFORE = "0068_coverage_history"
REPLACED = ("count_class_days", "count_after_update", "count_after_class")
ADDED = {
    "change_of_kindergarten": "",
    "change_of_offers": "uuid[], uuid[]",
    "change_after_offers": "",
    "change_after_answers": "",
    "change_after_end": "",
    "change_of_document": "",
}
NEW = "REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT"
OLD = "REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT"
BOTH = "REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT"
EVERY = "INSERT OR UPDATE OR DELETE"
TRIGGERS = (
    ("counted_class", "roll_class", EVERY, "FOR EACH ROW", "count_after_class"),
    ("counted_place", "kindergarten", EVERY, "FOR EACH ROW", "change_of_kindergarten"),
    ("counted_new", "offer", "INSERT", NEW, "change_after_offers"),
    ("counted_changed", "offer", "UPDATE", BOTH, "change_after_answers"),
    ("counted_gone", "offer", "DELETE", OLD, "change_after_end"),
    ("counted_new", "child_document", "INSERT", NEW, "change_of_document"),
)


def _area(table: str) -> sa.Column:
    return sa.Column(
        "area_code", sa.String(), sa.ForeignKey("area.code", name=f"fk_{table}__area_code"), nullable=False
    )


def _function(folder: str, name: str) -> str:
    return (SQL / folder / f"{name}.sql").read_text("utf-8")


def upgrade() -> None:
    op.create_table(
        "coverage_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        _area("coverage_change"),
        sa.PrimaryKeyConstraint("id", name="pk_coverage_change"),
    )
    op.create_index("ix_coverage_change__area", "coverage_change", ["area_code"])
    op.create_table(
        "coverage_rollup",
        _area("coverage_rollup"),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("area_code", "year", name="pk_coverage_rollup"),
    )
    for name in (*REPLACED, *ADDED):
        op.execute(_function(revision, name))
    op.execute("DROP TRIGGER counted_class ON roll_class")
    for name, table, when, rows, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} AFTER {when} ON {table} {rows} EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    for name, table, *_rest in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in REPLACED:
        op.execute(_function(BEFORE, name).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(
        "CREATE TRIGGER counted_class AFTER UPDATE ON roll_class FOR EACH ROW EXECUTE FUNCTION count_after_class()"
    )
    for name, arguments in reversed(ADDED.items()):
        op.execute(f"DROP FUNCTION {name}({arguments})")
    op.drop_table("coverage_rollup")
    op.drop_table("coverage_change")
