"""a child on one roll on each day; counts as dated entries; the history of classes; transfers; promotions

Revision ID: 0059_roll_by_the_day
Revises: 0065_report_exports
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0059_roll_by_the_day"
down_revision = "0065_report_exports"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision
FUNCTIONS = (
    "judge_the_count", "carry_the_count", "keep_the_count", "first_count", "first_counts", "number_by_entry",
    "only_added_to_a_class",
)  # fmt: skip
CLASS_COLUMNS = (
    sa.Column("opened_on", sa.Date(), nullable=True),
    sa.Column("closed_on", sa.Date(), nullable=True),
    sa.Column("merged_into", sa.Uuid(), nullable=True),
    sa.Column("promotion_id", sa.Uuid(), nullable=True),
)
CHILD_COLUMNS = (
    sa.Column("promotion_id", sa.Uuid(), nullable=True),
    sa.Column("ending_promotion_id", sa.Uuid(), nullable=True),
)

# An admission in August put a child on the new roll at once, while the old entry ended on 1 September.
ONE_AFTER_THE_OTHER = """
    UPDATE roll_child AS later SET entered_on = least(before.left_on, coalesce(later.left_on, before.left_on))
    FROM roll_child AS before
    WHERE before.id_index = later.id_index AND before.id <> later.id AND before.left_on IS NOT NULL
        AND (coalesce(before.left_on, 'infinity'), before.id) < (coalesce(later.left_on, 'infinity'), later.id)
        AND later.entered_on < before.left_on AND before.entered_on < before.left_on
"""
# "小 一班" beside "小一班": the later one keeps its children under a name that says so
ONE_CLASS_A_NAME = """
    UPDATE roll_class AS later SET name = later.name || ' (' || left(later.id::text, 8) || ')'
    FROM roll_class AS first
    WHERE first.kindergarten_id = later.kindergarten_id AND first.school_year = later.school_year AND first.id < later.id
        AND lower(regexp_replace(first.name, '\\s', '', 'g')) = lower(regexp_replace(later.name, '\\s', '', 'g'))
"""
# PostgreSQL has no NOT VALID for it: 250,000 rows take ten seconds, in which nobody writes to the roll
ONE_ROLL_A_DAY = """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE roll_child ADD CONSTRAINT ex_roll_child__one_roll_a_day EXCLUDE USING gist (
        int8range(('x' || encode(substr(id_index, 1, 8), 'hex'))::bit(64)::bigint,
            ('x' || encode(substr(id_index, 1, 8), 'hex'))::bit(64)::bigint, '[]') WITH &&,
        daterange(entered_on, left_on) WITH &&) WHERE (id_index IS NOT NULL)
"""


def upgrade() -> None:
    for column in CLASS_COLUMNS:
        op.add_column("roll_class", column.copy())
    for column in CHILD_COLUMNS:
        op.add_column("roll_child", column.copy())
    _promotions()
    _counts()
    _history_of_classes()
    _transfers()
    op.execute(ONE_AFTER_THE_OTHER)
    op.execute(ONE_CLASS_A_NAME)
    op.execute(ONE_ROLL_A_DAY)
    op.execute(
        "ALTER TABLE roll_child ADD CONSTRAINT ck_roll_child__leaves_after_entering"
        " CHECK (left_on >= entered_on) NOT VALID"
    )
    for name in FUNCTIONS:
        op.execute((SQL / f"{name}.sql").read_text("utf-8"))
    op.execute(
        "INSERT INTO roll_count (class_id, day, children, source, reason, state, made_at)"
        " SELECT id, as_of, counted, 'first', '', 'in_force', now() FROM roll_class WHERE counted IS NOT NULL"
    )
    _triggers()


def _promotions() -> None:
    op.create_table(
        "roll_promotion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("from_year", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("leavers", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_roll_promotion__kindergarten_id"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_roll_promotion__made_by"),
        sa.ForeignKeyConstraint(["undone_by"], ["account.id"], name="fk_roll_promotion__undone_by"),
        sa.PrimaryKeyConstraint("id", name="pk_roll_promotion"),
    )
    op.create_index(
        "uq_roll_promotion__once", "roll_promotion", ["kindergarten_id", "from_year"], unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )  # fmt: skip


def _counts() -> None:
    op.create_table(
        "roll_count",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("children >= 0", name=op.f("ck_roll_count__not_negative")),
        sa.CheckConstraint("source IN ('first','desk','import','move')", name=op.f("ck_roll_count__known_source")),
        sa.CheckConstraint(
            "state IN ('in_force','open','refused','withdrawn')", name=op.f("ck_roll_count__known_state")
        ),
        sa.CheckConstraint("source = 'first' OR reason <> ''", name=op.f("ck_roll_count__has_a_reason")),
        sa.CheckConstraint(
            "decided_by IS NULL OR state = 'withdrawn' OR (decided_by <> made_by) IS NOT FALSE",
            name=op.f("ck_roll_count__decided_by_another"),
        ),
        sa.ForeignKeyConstraint(["class_id"], ["roll_class.id"], name="fk_roll_count__class_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_roll_count__made_by"),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name="fk_roll_count__decided_by"),
        sa.PrimaryKeyConstraint("number", name="pk_roll_count"),
    )
    op.create_index("ix_roll_count__class", "roll_count", ["class_id", "day"])
    op.create_index(
        "uq_roll_count__one_open", "roll_count", ["class_id"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip


def _history_of_classes() -> None:
    op.create_table(
        "roll_class_change",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("after", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('opened','renamed','merged','closed')", name=op.f("ck_roll_class_change__known_kind")
        ),
        sa.ForeignKeyConstraint(
            ["class_id"], ["roll_class.id"], name="fk_roll_class_change__class_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_roll_class_change__made_by"),
        sa.PrimaryKeyConstraint("number", name="pk_roll_class_change"),
    )
    op.create_index("ix_roll_class_change__class_id", "roll_class_change", ["class_id"])


def _transfers() -> None:
    references = {
        "roll_child_id": "roll_child.id", "from_id": "kindergarten.id", "to_id": "kindergarten.id",
        "to_class_id": "roll_class.id", "asked_by": "account.id", "out_by": "account.id", "in_by": "account.id",
        "ended_by": "account.id",
    }  # fmt: skip
    op.create_table(
        "roll_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roll_child_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("to_class_id", sa.Uuid(), nullable=True),
        sa.Column("moves_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("out_by", sa.Uuid(), nullable=True),
        sa.Column("out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_by", sa.Uuid(), nullable=True),
        sa.Column("in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remark", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open','done','refused','withdrawn')", name=op.f("ck_roll_transfer__known_state")
        ),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_roll_transfer__two_kindergartens")),
        sa.CheckConstraint(
            "state <> 'done' OR (out_at IS NOT NULL AND in_at IS NOT NULL AND to_class_id IS NOT NULL)",
            name=op.f("ck_roll_transfer__both_agreed"),
        ),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f("ck_roll_transfer__ended_at_a_time")),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_roll_transfer__{column}")
            for column, target in references.items()
        ),
        sa.PrimaryKeyConstraint("id", name="pk_roll_transfer"),
    )
    op.create_index(
        "uq_roll_transfer__one_open", "roll_transfer", ["roll_child_id"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    for column in ("from_id", "to_id"):
        op.create_index(f"ix_roll_transfer__{column}", "roll_transfer", [column])


def _triggers() -> None:
    for statement in (
        "judged BEFORE INSERT ON roll_count FOR EACH ROW EXECUTE FUNCTION judge_the_count()",
        "carried AFTER INSERT OR UPDATE ON roll_count FOR EACH ROW WHEN (NEW.source <> 'first')"
        " EXECUTE FUNCTION carry_the_count()",
        "kept BEFORE UPDATE OR DELETE ON roll_count FOR EACH ROW EXECUTE FUNCTION keep_the_count()",
        "first_count AFTER UPDATE OF counted ON roll_class FOR EACH ROW EXECUTE FUNCTION first_count()",
        "first_counts AFTER INSERT ON roll_class REFERENCING NEW TABLE AS fresh"
        " FOR EACH STATEMENT EXECUTE FUNCTION first_counts()",
        "number_by_entry BEFORE UPDATE OF counted ON roll_class FOR EACH ROW EXECUTE FUNCTION number_by_entry()",
        "only_added BEFORE UPDATE OR DELETE ON roll_class_change FOR EACH ROW EXECUTE FUNCTION only_added_to_a_class()",
    ):
        op.execute(f"CREATE TRIGGER {statement}")


def downgrade() -> None:
    for name in ("first_count", "first_counts", "number_by_entry"):
        op.execute(f"DROP TRIGGER {name} ON roll_class")
    for table in ("roll_transfer", "roll_class_change", "roll_count", "roll_promotion"):
        op.drop_table(table)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_constraint("ck_roll_child__leaves_after_entering", "roll_child")
    op.drop_constraint("ex_roll_child__one_roll_a_day", "roll_child")
    for column in reversed(CHILD_COLUMNS):
        op.drop_column("roll_child", column.name)
    for column in reversed(CLASS_COLUMNS):
        op.drop_column("roll_class", column.name)
