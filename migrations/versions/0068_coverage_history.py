"""births and children of past school years, the days of a class, answers to alarms of the shares

Revision ID: 0068_coverage_history
Revises: 0055_alarms
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0068_coverage_history"
down_revision = "0055_alarms"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision
FUNCTIONS = ("count_class_days", "count_after_insert", "count_after_update", "count_after_delete", "count_after_class")
SANE_YEAR = "school_year BETWEEN 1990 AND 2100"
KINDS = "'kindergartens','programmes','roll','service-areas'"
TRIGGERS = (
    ("counted_new", "AFTER INSERT ON roll_child REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT", "insert"),
    (
        "counted_changed",
        "AFTER UPDATE ON roll_child REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT",
        "update",
    ),
    ("counted_gone", "AFTER DELETE ON roll_child REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT", "delete"),
    ("counted_class", "AFTER UPDATE ON roll_class FOR EACH ROW", "class"),
)


def _area(table: str) -> sa.Column:
    return sa.Column(
        "area_code", sa.String(), sa.ForeignKey("area.code", name=f"fk_{table}__area_code"), nullable=False
    )


def _checks(table: str, **rules: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{table}__{name}")) for name, rule in rules.items()]


def _create_history() -> None:
    op.create_table(
        "area_births",
        _area("area_births"),
        sa.Column("school_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vintage", sa.Date(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("area_code", "school_year", "vintage", name="pk_area_births"),
        *_checks(
            "area_births",
            sane_year=SANE_YEAR,
            not_negative="children >= 0",
            not_before_it_began="vintage >= make_date(school_year, 9, 1)",
        ),
    )
    op.create_table(
        "area_history",
        _area("area_history"),
        sa.Column("school_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("nature", sa.String(), nullable=False),
        sa.Column("attached", sa.Boolean(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("area_code", "school_year", "level", "nature", "attached", name="pk_area_history"),
        *_checks(
            "area_history",
            sane_year=SANE_YEAR,
            known_level="level IN ('lower','middle','upper')",
            known_nature="nature IN ('public','inclusive','private')",
            not_negative="children >= 0",
        ),
    )


def _create_answers() -> None:
    op.create_table(
        "alarm_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        _area("alarm_answer"),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "answered_by", sa.Uuid(), sa.ForeignKey("account.id", name="fk_alarm_answer__answered_by"), nullable=False
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_answer"),
        *_checks(
            "alarm_answer",
            known_share="share IN ('public','inclusive')",
            sane_year="year BETWEEN 2000 AND 2100",
            owner_named="length(owner) BETWEEN 1 AND 40",
            measure_named="length(measure) BETWEEN 1 AND 200",
        ),
    )
    op.create_index("ix_alarm_answer__of_area", "alarm_answer", ["year", "area_code", "share", "answered_at"])


def _create_days() -> None:
    op.create_table(
        "roll_class_day",
        sa.Column(
            "class_id",
            sa.Uuid(),
            sa.ForeignKey("roll_class.id", name="fk_roll_class_day__class_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("of_school_age", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("class_id", "day", name="pk_roll_class_day"),
        *_checks("roll_class_day", some_change="children <> 0 OR of_school_age <> 0"),
    )
    for name in FUNCTIONS:
        op.execute((SQL / f"{name}.sql").read_text("utf-8"))
    # the triggers wait for who changes the roll and let nobody change it before the commit, so nothing is missed
    for name, when, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION count_after_{function}()")
    op.execute("SELECT count_class_days(ARRAY(SELECT id FROM roll_class WHERE kept_as = 'rows'))")


def _replace_kinds(kinds: str) -> None:
    op.execute(
        "-- squawk-ignore ban-drop-constraint\nALTER TABLE import_file DROP CONSTRAINT ck_import_file__known_kind"
    )
    op.execute(f"ALTER TABLE import_file ADD CONSTRAINT ck_import_file__known_kind CHECK (kind IN ({kinds})) NOT VALID")


def upgrade() -> None:
    _create_history()
    _create_answers()
    _create_days()
    _replace_kinds(f"{KINDS},'births','area-history'")


def downgrade() -> None:
    op.execute("DELETE FROM import_file WHERE kind IN ('births','area-history')")
    _replace_kinds(KINDS)
    for name, when, _function in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {'roll_class' if 'roll_class' in when else 'roll_child'}")
    for name in ("insert", "update", "delete", "class"):
        op.execute(f"DROP FUNCTION count_after_{name}()")
    op.execute("DROP FUNCTION count_class_days(uuid[])")
    for table in ("roll_class_day", "alarm_answer", "area_history", "area_births"):
        op.drop_table(table)
