"""Classes as objects: opened, renamed, merged, closed; each change is an entry with its day and its reason."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.places import roll, roll_checks
from enrollment.places.kindergartens import Page, paginate_rows
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import (
    ClassChangeKind,
    CountSource,
    CountState,
    RollClassChange,
    RollCount,
    RollTransfer,
    TransferState,
)
from enrollment.places.roll_changes.moves import children_at, move_entry


def open_class(
    session: Session,
    kindergarten_id: uuid.UUID,
    *,
    name: str,
    level: str,
    school_year: int,
    kept_as: str,
    by: Actor,
    now: dt.datetime,
) -> RollClass:
    """Open an empty class.  Refuses `class_name_taken`, `school_year_is_closed` and what `roll.ensure_class` refuses."""
    roll_checks.check_school_year(school_year, by=by, now=now)
    if roll.class_of_name(session, kindergarten_id, school_year, name) is not None:
        raise Refused("class_name_taken", field="class_name")
    roll_class = roll.ensure_class(session, kindergarten_id, name, level, school_year, kept_as, by=by, now=now)
    roll_class.opened_on = max(today(now), dt.date(school_year, 9, 1))
    _enter(session, roll_class, ClassChangeKind.OPENED, None, roll_class.name, "", by=by, now=now)
    return roll_class


def rename(session: Session, class_id: uuid.UUID, *, name: str, reason: str, by: Actor, now: dt.datetime) -> RollClass:
    """Refuses `class_name_taken`, `class_name_missing`, `reason_missing`, `class_is_closed`."""
    roll_class = _open_class(session, class_id, by=by, now=now)
    tidy = roll_checks.tidy_class_name(name)
    there = roll.class_of_name(session, roll_class.kindergarten_id, roll_class.school_year, tidy)
    if there is not None and there.id != roll_class.id:
        raise Refused("class_name_taken", field="class_name")
    before, roll_class.name = roll_class.name, tidy
    _enter(session, roll_class, ClassChangeKind.RENAMED, before, tidy, _reason(reason), by=by, now=now)
    return roll_class


def merge(
    session: Session, class_id: uuid.UUID, into_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime
) -> RollClass:
    """Move all children of a class into another of its level from today, and close it.

    Those who enter later go with it on their own day, and those who have announced their leaving until theirs.
    Refuses `merge_other_class` and, above the norm of the level, `class_above_norm` with the sum.
    """
    roll_class = _open_class(session, class_id, by=by, now=now)
    into = _open_class(session, into_id, by=by, now=now)
    alike = (roll_class.kindergarten_id, roll_class.school_year, roll_class.level, roll_class.kept_as) == (
        into.kindergarten_id, into.school_year, into.level, into.kept_as,
    )  # fmt: skip
    if not alike or roll_class.id == into.id:
        raise Refused("merge_other_class", field="into")
    day = roll.day_within(roll_class.school_year, now)
    days = {day, *_later_entries(session, (roll_class.id, into.id), day)}
    numbers = [(children_at(session, roll_class, each), children_at(session, into, each)) for each in sorted(days)]
    here, there = max(numbers, key=sum)
    norm = roll_checks.norm_of(into.level)
    if here + there > norm:
        raise Refused("class_above_norm", field="into", here=here, there=there, sum=here + there, norm=norm)
    if roll_class.kept_as == "count":
        for one, children in ((roll_class, 0), (into, here + there)):
            session.add(
                RollCount(
                    class_id=one.id,
                    day=day,
                    children=children,
                    source=CountSource.MOVE,
                    reason=_reason(reason),
                    state=CountState.IN_FORCE,
                    made_by=by.account_id,
                    made_at=now,
                )
            )
        session.flush()
        session.refresh(roll_class)
        session.refresh(into)
    else:
        for child in roll.entries_from(session, roll_class.id, day):
            move_entry(session, child, into, day, by=by, now=now)
        asked = update(RollTransfer).where(
            RollTransfer.to_class_id == roll_class.id, RollTransfer.state == TransferState.OPEN
        )
        session.execute(asked.values(to_class_id=into.id))
    roll_class.merged_into = into.id
    _end(session, roll_class, ClassChangeKind.MERGED, into.name, _reason(reason), day, by=by, now=now)
    return into


def close(session: Session, class_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> RollClass:
    """Close a class without children.  Refuses `class_not_empty` with their number."""
    roll_class = _open_class(session, class_id, by=by, now=now)
    day = roll.day_within(roll_class.school_year, now)
    later = or_(RollChild.left_on.is_(None), RollChild.left_on > day)
    still = select(func.count()).where(RollChild.class_id == roll_class.id, later)
    children = roll_class.counted or 0 if roll_class.kept_as == "count" else session.scalar(still) or 0
    if children:
        raise Refused("class_not_empty", n=children)
    _end(session, roll_class, ClassChangeKind.CLOSED, None, _reason(reason), day, by=by, now=now)
    return roll_class


def history(
    session: Session, kindergarten_id: uuid.UUID, school_year: int, *, page: int = 1, per_page: int = 50
) -> Page:
    """The changes of a kindergarten's classes, the newest first: change, class, name of who made it."""
    found = (
        select(RollClassChange, RollClass, Account)
        .join(RollClass, RollClass.id == RollClassChange.class_id)
        .outerjoin(Account, Account.id == RollClassChange.made_by)
        .where(RollClass.kindergarten_id == kindergarten_id, RollClass.school_year == school_year)
        .order_by(RollClassChange.number.desc())
    )
    listed = paginate_rows(session, found, page, per_page)
    return replace(listed, items=[(change, of, account.name if account else None) for change, of, account in listed])


def _later_entries(session: Session, class_ids: Collection[uuid.UUID], day: dt.date) -> list[dt.date]:
    """The days after this one on which a child enters one of these classes."""
    found = select(RollChild.entered_on).where(RollChild.class_id.in_(class_ids), RollChild.entered_on > day)
    return list(session.scalars(found.distinct()))


def _open_class(session: Session, class_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> RollClass:
    roll_class = roll.class_in_scope(session, class_id, by=by, lock=True)
    roll_checks.check_school_year(roll_class.school_year, by=by, now=now)
    if roll_class.closed_on is not None:
        raise Refused("class_is_closed")
    return roll_class


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Refused("reason_missing", field="reason")
    return reason.strip()


def _end(
    session: Session,
    roll_class: RollClass,
    kind: ClassChangeKind,
    after: str | None,
    reason: str,
    day: dt.date,
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    roll_class.closed_on = day
    _enter(session, roll_class, kind, roll_class.name, after, reason, by=by, now=now)


def _enter(
    session: Session,
    roll_class: RollClass,
    kind: ClassChangeKind,
    before: str | None,
    after: str | None,
    reason: str,
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    session.add(
        RollClassChange(
            class_id=roll_class.id,
            kind=kind,
            day=roll.day_within(roll_class.school_year, now),
            before=before,
            after=after,
            reason=reason,
            made_by=by.account_id,
            made_at=now,
        )
    )
    session.flush()
    audit.record(session, "change_class", "roll_class", roll_class.id, by=by, now=now, kind=str(kind))
