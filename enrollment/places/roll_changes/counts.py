"""Numbers of classes that are kept as a count: dated entries with a reason, and a second person for a large change."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places import roll, roll_checks, scope
from enrollment.places.approvals import papers
from enrollment.places.approvals.papers import Approval
from enrollment.places.kindergartens import Kindergarten, Page, paginate_rows
from enrollment.places.roll import RollClass
from enrollment.places.roll_change_rows import CountSource, CountState, RollCount
from enrollment.places.roll_rows import MOST_IN_A_CLASS

PER_PAGE = 50
MOST_ALONE = 5
"""The largest change that one person enters alone, where the class stays within its norm.  A trigger has the same rule."""


def enter(
    session: Session,
    class_id: uuid.UUID,
    *,
    children: int,
    day: dt.date,
    reason: str,
    seen: int | None = None,
    approval: Approval | None = None,
    by: Actor,
    now: dt.datetime,
) -> RollCount | None:
    """Enter the number of a class from a day on, perhaps with the approval it rests on; None if it is the number already.

    `seen` is the newest entry of the page.  Above the norm, or more than `MOST_ALONE` children away from the number in force,
    it waits for a second person.  Refuses `count_waits`, `count_day_impossible`, `too_many_in_a_class`, `reason_missing`.
    """
    roll_class = roll.class_in_scope(session, class_id, by=by, lock=True)
    roll_checks.check_school_year(roll_class.school_year, by=by, now=now)
    newest = _newest(session, roll_class.id)
    if seen is not None and newest is not None and newest.number != seen:
        raise Stale(roll_class=str(roll_class.id))
    return _enter(session, roll_class, children=children, day=day, reason=reason, approval=approval, by=by, now=now)


def decide(session: Session, number: int, *, agree: bool, by: Actor, now: dt.datetime) -> RollCount:
    """A second person decides an open entry; who made it may take it back.  Refuses `second_person_needed`,
    `count_is_decided`, and `first_person_left` to whoever agrees: it is entered anew.
    """
    count = session.scalars(select(RollCount).where(RollCount.number == number).with_for_update()).one_or_none()
    if count is None:
        raise NotFound
    roll_class = roll.class_in_scope(session, count.class_id, by=by, lock=True)
    if count.state != CountState.OPEN:
        raise Refused("count_is_decided")
    own = by.account_id == count.made_by
    if own and agree:
        raise Refused("second_person_needed")
    if agree:
        kindergarten = session.get_one(Kindergarten, roll_class.kindergarten_id)
        signatures.require_first_person(session, count.made_by, scope.office_of(kindergarten))
    count.state = CountState.IN_FORCE if agree else CountState.WITHDRAWN if own else CountState.REFUSED
    count.decided_by, count.decided_at = by.account_id, now
    session.flush()
    _carried(session, count.class_id)
    audit.record(session, "decide_count", "roll_class", count.class_id, by=by, now=now, state=str(count.state))
    return count


def open_counts(session: Session, *, by: Actor, area: str | None = None, page: int = 1) -> Page:
    """Entries that wait for a second person within the actor's scope, oldest first: count, class, kindergarten, who made it.

    Where a kindergarten has one person, the area is the second one.
    """
    found = (
        select(RollCount, RollClass, Kindergarten, Account)
        .join(RollClass, RollClass.id == RollCount.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .outerjoin(Account, Account.id == RollCount.made_by)
        .where(RollCount.state == CountState.OPEN, scope.scope_condition(by))
        .order_by(RollCount.number)
    )
    if area is not None:
        found = found.where(Kindergarten.area_code == area)
    listed = paginate_rows(session, found, page, PER_PAGE)
    return replace(listed, items=[(count, of, at, maker.name if maker else None) for count, of, at, maker in listed])


def waiting_query(by: Actor) -> Select[Any]:
    """SELECT the number of entries that wait for this person as the second one, and the class of the oldest."""
    oldest = func.array_agg(aggregate_order_by(RollCount.class_id, RollCount.number))
    return (
        select(func.count().label("number"), oldest[1].label("class_id"))
        .join(RollClass, RollClass.id == RollCount.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollCount.state == CountState.OPEN, scope.scope_condition(by))
        .where(RollCount.made_by.is_distinct_from(by.account_id))
    )


def class_of(session: Session, number: int, *, by: Actor) -> uuid.UUID:
    """The class of an entry within the actor's scope."""
    found = session.get(RollCount, number)
    if found is None:
        raise NotFound
    return roll.class_in_scope(session, found.class_id, by=by).id


def entries(session: Session, class_ids: Collection[uuid.UUID]) -> list[tuple[RollCount, str | None, str | None]]:
    """The entries of these classes, newest first, with the names of who made and who decided them."""
    found = select(RollCount).where(RollCount.class_id.in_(class_ids)).order_by(RollCount.number.desc())
    rows = list(session.scalars(found))
    ids = {row.made_by for row in rows} | {row.decided_by for row in rows}
    accounts = session.scalars(select(Account).where(Account.id.in_(ids - {None})))
    names: dict[uuid.UUID | None, str] = {one.id: one.name for one in accounts}
    return [(row, names.get(row.made_by), names.get(row.decided_by)) for row in rows]


def needs_second_person(roll_class: RollClass, children: int) -> bool:
    before = roll_class.counted or 0
    return children > roll_checks.norm_of(roll_class.level) or (before > 0 and abs(children - before) > MOST_ALONE)


def _newest(session: Session, class_id: uuid.UUID) -> RollCount | None:
    found = select(RollCount).where(RollCount.class_id == class_id).order_by(RollCount.number.desc())
    return session.scalars(found.limit(1)).first()


def _enter(
    session: Session,
    roll_class: RollClass,
    *,
    children: int,
    day: dt.date,
    reason: str,
    approval: Approval | None,
    by: Actor,
    now: dt.datetime,
) -> RollCount | None:
    if roll_class.kept_as != "count":
        raise Refused("class_has_children", field="class_name")
    if not 0 <= children <= MOST_IN_A_CLASS:
        raise Refused("too_many_in_a_class", field="children", most=MOST_IN_A_CLASS)
    if not reason.strip():
        raise Refused("reason_missing", field="reason")
    first, last = dt.date(roll_class.school_year, 9, 1), max(today(now), dt.date(roll_class.school_year, 9, 1))
    if not first <= day <= last and not scope.is_system(by):
        raise Refused("count_day_impossible", field="day", first=first.isoformat(), last=last.isoformat())
    newest = _newest(session, roll_class.id)
    if newest is not None and newest.state == CountState.OPEN:
        raise Refused("count_waits", field="children", children=newest.children)
    if newest is not None and (newest.state, newest.children, newest.day) == (CountState.IN_FORCE, children, day):
        return None
    paper = papers.keep(session, roll_class.kindergarten_id, approval, by=by, now=now)
    alone = scope.is_system(by) or not needs_second_person(roll_class, children)
    count = RollCount(
        class_id=roll_class.id, day=day, children=children, reason=reason.strip(),
        source=CountSource.IMPORT if scope.is_system(by) else CountSource.DESK,
        state=CountState.IN_FORCE if alone else CountState.OPEN, made_by=by.account_id, made_at=now,
        paper=paper,
    )  # fmt: skip
    session.add(count)
    session.flush()
    _carried(session, roll_class.id)
    audit.record(session, "count_class", "roll_class", roll_class.id, by=by, now=now, children=children)
    return count


def _carried(session: Session, class_id: uuid.UUID) -> None:
    """The trigger wrote the class's number."""
    session.refresh(session.get_one(RollClass, class_id), ["counted", "as_of"])
