"""The tables of changes of the roll: counts of classes, the history of classes, transfers, promotions."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    case,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.db import Base
from enrollment.places.approvals.papers import ApprovalPaper
from enrollment.places.roll_rows import RollClass


class CountState(StrEnum):
    """`in_force`: it counts from its day on; `open`: it waits for a second person."""

    IN_FORCE = "in_force"
    OPEN = "open"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class CountSource(StrEnum):
    """`first`: the class begins; `move`: the sum of two classes stays the same; `import`: a list that officials approved."""

    FIRST = "first"
    DESK = "desk"
    IMPORT = "import"
    MOVE = "move"


class ClassChangeKind(StrEnum):
    OPENED = "opened"
    RENAMED = "renamed"
    MERGED = "merged"
    CLOSED = "closed"


class TransferState(StrEnum):
    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RollCount(Base):
    """The number of children of a class from a day on.  Only ever added; the database asks for a second person."""

    __tablename__ = "roll_count"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    class_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_class.id", ondelete="CASCADE"))
    day: Mapped[dt.date]
    children: Mapped[int]
    source: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]
    paper_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("approval_paper.id"))
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]

    paper: Mapped[ApprovalPaper | None] = relationship(lazy="selectin")

    __table_args__ = (
        CheckConstraint("children >= 0", name="not_negative"),
        CheckConstraint("source IN ('" + "','".join(CountSource) + "')", name="known_source"),
        CheckConstraint("state IN ('" + "','".join(CountState) + "')", name="known_state"),
        CheckConstraint("source = 'first' OR reason <> ''", name="has_a_reason"),
        CheckConstraint(
            "decided_by IS NULL OR state = 'withdrawn' OR (decided_by <> made_by) IS NOT FALSE",
            name="decided_by_another",
        ),
        Index("ix_roll_count__class", "class_id", "day"),
        Index("uq_roll_count__one_open", "class_id", unique=True, postgresql_where=text("state = 'open'")),
    )


class RollClassChange(Base):
    """An entry of a class's history: its name before and after, or the class into which it was merged."""

    __tablename__ = "roll_class_change"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    class_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_class.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    day: Mapped[dt.date]
    before: Mapped[str | None]
    after: Mapped[str | None]
    reason: Mapped[str]
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]

    __table_args__ = (CheckConstraint("kind IN ('" + "','".join(ClassChangeKind) + "')", name="known_kind"),)


class RollTransfer(Base):
    """A child's move to another kindergarten on a day.  It is done when both sides agreed; the law gives ten working days."""

    __tablename__ = "roll_transfer"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    roll_child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_child.id"))
    from_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"), index=True)
    to_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"), index=True)
    to_class_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("roll_class.id"))
    moves_on: Mapped[dt.date]
    due_on: Mapped[dt.date]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(default=TransferState.OPEN)
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[dt.datetime]
    out_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    out_at: Mapped[dt.datetime | None]
    in_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    in_at: Mapped[dt.datetime | None]
    ended_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    ended_at: Mapped[dt.datetime | None]
    remark: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("state IN ('" + "','".join(TransferState) + "')", name="known_state"),
        CheckConstraint("from_id <> to_id", name="two_kindergartens"),
        CheckConstraint(
            "state <> 'done' OR (out_at IS NOT NULL AND in_at IS NOT NULL AND to_class_id IS NOT NULL)",
            name="both_agreed",
        ),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_at_a_time"),
        Index("uq_roll_transfer__one_open", "roll_child_id", unique=True, postgresql_where=text("state = 'open'")),
    )


class RollPromotion(Base):
    """The promotion of a kindergarten's classes from a school year to the next; once, unless it was undone."""

    __tablename__ = "roll_promotion"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    from_year: Mapped[int]
    children: Mapped[int]
    leavers: Mapped[int]
    made_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    undone_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    undone_at: Mapped[dt.datetime | None]

    __table_args__ = (
        Index(
            "uq_roll_promotion__once",
            "kindergarten_id",
            "from_year",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
    )


def number_on(day: dt.date) -> ColumnElement[int]:
    """The number of a row of `RollClass` that is kept as a count, as of a day.

    The newest entry in force of this day or earlier; before a class's first entry, its first one.  The class carries its
    newest entry, so the entries are read for days before that one only.
    """
    that_day = (
        select(RollCount.children)
        .where(RollCount.class_id == RollClass.id, RollCount.state == CountState.IN_FORCE)
        .order_by(RollCount.day > day, func.abs(RollCount.day - day), RollCount.number.desc())
        .limit(1)
        .correlate(RollClass)
        .scalar_subquery()
    )
    return case((RollClass.as_of <= day, RollClass.counted), else_=that_day)
