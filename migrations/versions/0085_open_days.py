"""open days of kindergartens, their slots and the visits that families book

Revision ID: 0085_open_days
Revises: 0084_valid_case_kinds
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0085_open_days"
down_revision = "0084_valid_case_kinds"
branch_labels = None
depends_on = None

SQL = Path(__file__).with_name("sql") / revision


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "open_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kindergarten_id", sa.Uuid(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("meeting_point", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        _at("made_at"),
        _at("cancelled_at", nullable=True),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.Column("cancel_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_open_day"),
        sa.ForeignKeyConstraint(["kindergarten_id"], ["kindergarten.id"], name="fk_open_day__kindergarten_id"),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name="fk_open_day__made_by"),
        sa.ForeignKeyConstraint(["cancelled_by"], ["account.id"], name="fk_open_day__cancelled_by"),
        sa.CheckConstraint(
            "(cancelled_at IS NULL) = (cancelled_by IS NULL) AND (cancelled_at IS NULL) = (cancel_reason IS NULL)",
            name=op.f("ck_open_day__cancelled_whole"),
        ),
    )
    op.create_index("ix_open_day__kindergarten_id", "open_day", ["kindergarten_id", "on_day"])
    op.create_table(
        "open_day_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("open_day_id", sa.Uuid(), nullable=False),
        sa.Column("begins", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_open_day_slot"),
        sa.ForeignKeyConstraint(["open_day_id"], ["open_day.id"], name="fk_open_day_slot__open_day_id"),
        sa.CheckConstraint("ends > begins", name=op.f("ck_open_day_slot__ends_later")),
        sa.CheckConstraint("taken BETWEEN 0 AND places", name=op.f("ck_open_day_slot__never_more_than_places")),
        sa.UniqueConstraint("id", "open_day_id", name="uq_open_day_slot__id_open_day_id"),
    )
    op.create_index("ix_open_day_slot__open_day_id", "open_day_slot", ["open_day_id"])
    op.create_table(
        "open_day_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("open_day_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("adults", sa.Integer(), nullable=False),
        sa.Column("needs", sa.LargeBinary(), nullable=False),
        sa.Column("booked_by", sa.Uuid(), nullable=False),
        _at("booked_at"),
        _at("cancelled_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_open_day_visit"),
        sa.ForeignKeyConstraint(
            ["slot_id", "open_day_id"],
            ["open_day_slot.id", "open_day_slot.open_day_id"],
            name="fk_open_day_visit__slot_id_open_day_id",
        ),
        sa.ForeignKeyConstraint(["application_id"], ["application.id"], name="fk_open_day_visit__application_id"),
        sa.ForeignKeyConstraint(["child_id"], ["child.id"], name="fk_open_day_visit__child_id"),
        sa.ForeignKeyConstraint(["booked_by"], ["account.id"], name="fk_open_day_visit__booked_by"),
        sa.CheckConstraint("adults BETWEEN 1 AND 4", name=op.f("ck_open_day_visit__some_adults")),
    )
    for column in ("slot_id", "application_id", "child_id"):
        op.create_index(f"ix_open_day_visit__{column}", "open_day_visit", [column])
    op.create_index(
        "uq_open_day_visit__one_of_a_child", "open_day_visit", ["open_day_id", "child_id"], unique=True,
        postgresql_where=sa.text("cancelled_at IS NULL"),
    )  # fmt: skip
    op.execute((SQL / "count_open_day_visits.sql").read_text())
    op.execute(
        "CREATE TRIGGER counted AFTER INSERT OR DELETE OR UPDATE OF slot_id, cancelled_at ON open_day_visit"
        " FOR EACH ROW EXECUTE FUNCTION count_open_day_visits()"
    )


def downgrade() -> None:
    for table in ("open_day_visit", "open_day_slot", "open_day"):
        op.drop_table(table)
    op.execute("DROP FUNCTION count_open_day_visits()")
