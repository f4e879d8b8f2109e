"""Movements 变动: who came to a kindergarten's roll, left it or changed class, newest first."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from enrollment.ground.accounts import Actor
from enrollment.ground.audit import AuditEntry
from enrollment.places import scope
from enrollment.places.kindergartens import Page, paginate_rows
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_rows import BY_A_MOVE

ENTERED = "entered"


@dataclass(frozen=True)
class Movement:
    """`kind` is `entered` or the reason of leaving; `child_name` is for the caller to mask."""

    day: dt.date
    kind: str
    child_id: uuid.UUID
    child_name: str
    class_name: str


def movements(
    session: Session,
    kindergarten_id: uuid.UUID,
    *,
    since: dt.date,
    until: dt.date,
    by: Actor,
    page: int = 1,
    per_page: int = 100,
) -> Page:
    """Entries and leavings of these days.  Inside the kindergarten a change of class is one movement, a promotion none.

    An arrival that was undone after a class change is told once, by the entry that the arrival made.
    """
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    before, old_class = aliased(RollChild), aliased(RollClass)
    moved_here = (
        select(before.id)
        .join(old_class, old_class.id == before.class_id)
        .where(
            before.id_index == RollChild.id_index, before.left_on == RollChild.entered_on,
            before.leave_reason.in_(BY_A_MOVE), old_class.kindergarten_id == kindergarten_id,
        )
    )  # fmt: skip
    told = ~_undone_with_the_first()
    entered = select(RollChild.entered_on.label("day"), literal(ENTERED).label("kind"), RollChild.id, RollClass.name)
    left = select(RollChild.left_on, func.coalesce(RollChild.leave_reason, "other"), RollChild.id, RollClass.name)
    both = union_all(
        _here(entered, kindergarten_id).where(RollChild.entered_on.between(since, until), ~moved_here.exists(), told),
        _here(left, kindergarten_id).where(
            RollChild.left_on.between(since, until), RollChild.leave_reason.is_distinct_from("promoted"), told
        ),
    ).subquery()
    listed = paginate_rows(session, select(both).order_by(both.c.day.desc(), both.c.id, both.c.kind), page, per_page)
    children = select(RollChild).where(RollChild.id.in_({row.id for row in listed}))
    names = {child.id: child.name for child in session.scalars(children)}
    return replace(listed, items=[Movement(row.day, row.kind, row.id, names[row.id], row.name) for row in listed])


def _undone_with_the_first() -> ColumnElement[bool]:
    """SQL condition: a class change began this entry, and the counter-entry of the arrival before it ended it on its first day.

    The rows alone do not tell it from a child who arrived twice; the audit trail says what began each of them.
    """

    def was(act: str) -> ColumnElement[bool]:
        entry = select(AuditEntry.number).where(
            AuditEntry.subject == "roll_child",
            AuditEntry.subject_id == cast(RollChild.id, String),
            AuditEntry.act == act,
        )
        return entry.exists()

    return and_(
        func.coalesce(RollChild.left_on == RollChild.entered_on, False),
        was("withdraw_roll_entry"),
        was("change_roll_class"),
        ~was("enter_roll"),
    )


def _here(found: Select, kindergarten_id: uuid.UUID) -> Select:
    joined = found.select_from(RollChild).join(RollClass, RollClass.id == RollChild.class_id)
    return joined.where(RollClass.kindergarten_id == kindergarten_id)
