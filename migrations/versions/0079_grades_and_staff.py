"""grades of kindergartens, staff counts, and the target of high-quality kindergartens

Revision ID: 0079_grades_and_staff
Revises: 0077_valid_measure_files
"""

import sqlalchemy as sa
from alembic import op

revision = "0079_grades_and_staff"
down_revision = "0077_valid_measure_files"
branch_labels = None
depends_on = None

KINDS = "'kindergartens','programmes','roll','service-areas','births','area-history','named-places','measures'"
SHARES = "public IS NOT NULL OR inclusive IS NOT NULL"
DROP = "-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} DROP CONSTRAINT {name}"


def _create_grades() -> None:
    op.create_table(
        "grade",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("high_quality", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) > 0 AND length(name_en) > 0", name=op.f("ck_grade__has_names")),
        sa.PrimaryKeyConstraint("code", name="pk_grade"),
        sa.UniqueConstraint("name", name="uq_grade__name"),
    )
    op.create_table(
        "held_grade",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("grade_code", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("document", sa.String(), nullable=True),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("until >= since", name=op.f("ck_held_grade__ends_after_it_begins")),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_held_grade__kindergarten_id"),
        sa.ForeignKeyConstraint(["grade_code"], ["grade.code"], name="fk_held_grade__grade_code"),
        sa.ForeignKeyConstraint(["entered_by"], ["account.id"], name="fk_held_grade__entered_by"),
        sa.PrimaryKeyConstraint("id", name="pk_held_grade"),
    )
    op.create_index("ix_held_grade__kindergarten_id", "held_grade", ["kindergarten_id"])
    op.create_index(
        "uq_held_grade__held_once", "held_grade", ["kindergarten_id", "grade_code"], unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )  # fmt: skip


def _create_staff() -> None:
    op.create_table(
        "staff_count",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("teachers", sa.Integer(), nullable=False),
        sa.Column("carers", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "teachers BETWEEN 0 AND 500 AND carers BETWEEN 0 AND 500", name=op.f("ck_staff_count__sane_numbers")
        ),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_staff_count__kindergarten_id"),
        sa.ForeignKeyConstraint(["entered_by"], ["account.id"], name="fk_staff_count__entered_by"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_count"),
    )
    op.create_index("ix_staff_count__newest", "staff_count", ["kindergarten_id", "day", "id"])


def _replace(table: str, name: str, rule: str) -> None:
    op.execute(DROP.format(table=table, name=name))
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID")


def upgrade() -> None:
    _create_grades()
    _create_staff()
    op.add_column("target_decision", sa.Column("high_quality", sa.Integer(), nullable=True))
    # wider rules; the next migration validates them
    _replace("target_decision", "ck_target_decision__some_share", f"{SHARES} OR high_quality IS NOT NULL")
    op.execute(
        "ALTER TABLE target_decision ADD CONSTRAINT ck_target_decision__some_kindergartens"
        " CHECK (high_quality IS NULL OR (high_quality BETWEEN 1 AND 10000 AND scope <> 'national')) NOT VALID"
    )
    _replace("import_file", "ck_import_file__known_kind", f"kind IN ({KINDS},'staff')")


def downgrade() -> None:
    op.execute("DELETE FROM import_file WHERE kind = 'staff'")
    _replace("import_file", "ck_import_file__known_kind", f"kind IN ({KINDS})")
    op.execute("DELETE FROM target_decision WHERE public IS NULL AND inclusive IS NULL")
    op.drop_constraint(op.f("ck_target_decision__some_kindergartens"), "target_decision")
    _replace("target_decision", "ck_target_decision__some_share", SHARES)
    op.drop_column("target_decision", "high_quality")
    op.drop_table("staff_count")
    op.drop_table("held_grade")
    op.drop_table("grade")
