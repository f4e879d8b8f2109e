"""Which kindergarten holds which grade: giving one, ending it, the history, and what a list of kindergartens says.

A site 园区 holds the grade that was given to the site; the grade of its main kindergarten is not passed on.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import scope
from enrollment.places.grades.rows import LONGEST_DOCUMENT, Grade, HeldGrade


def give(
    session: Session,
    kindergarten_id: uuid.UUID,
    code: str,
    since: dt.date,
    document: str,
    *,
    by: Actor,
    now: dt.datetime,
) -> HeldGrade:
    """Enter that a kindergarten holds a grade.

    Only who decides on the kindergarten may do so (NotFound).  Refuses `grade_unknown`, `grade_in_future`,
    `grade_document_missing` and `grade_held` where its days overlap with the same grade.
    """
    _lock(session, kindergarten_id, by)
    grade = session.get(Grade, code)
    if grade is None or not grade.in_use:
        raise Refused("grade_unknown", "grade")
    if since > today(now):
        raise Refused("grade_in_future", "since")
    if not document.strip():
        raise Refused("grade_document_missing", "document")
    for held in history(session, kindergarten_id):
        if held.grade_code == code and not held.was_mistake and (held.until is None or held.until > since):
            raise Refused("grade_held", "grade")
    made = HeldGrade(
        kindergarten_id=kindergarten_id, grade=grade, since=since, document=document.strip()[:LONGEST_DOCUMENT],
        entered_by=by.account_id, entered_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(
        session, "give_grade", "kindergarten", kindergarten_id, by=by, now=now, grade=code, since=since.isoformat()
    )
    return made


def end(session: Session, held_id: uuid.UUID, until: dt.date, *, by: Actor, now: dt.datetime) -> HeldGrade:
    """The first day on which the kindergarten does not hold the grade; the day it began undoes a mistake.

    Refuses `grade_ended`, `grade_in_future` and `grade_ends_before`.
    """
    held = session.get(HeldGrade, held_id)
    if held is None:
        raise NotFound("held_grade")
    _lock(session, held.kindergarten_id, by)
    session.refresh(held)
    if held.until is not None:
        raise Refused("grade_ended")
    if until > today(now):
        raise Refused("grade_in_future", "until")
    if until < held.since:
        raise Refused("grade_ends_before", "until")
    held.until = until
    session.flush()
    audit.record(
        session, "end_grade", "kindergarten", held.kindergarten_id, by=by, now=now,
        grade=held.grade_code, until=until.isoformat(),
    )  # fmt: skip
    return held


def history(session: Session, kindergarten_id: uuid.UUID) -> list[HeldGrade]:
    """Every grade that a kindergarten was given, the newest first."""
    found = select(HeldGrade).where(HeldGrade.kindergarten_id == kindergarten_id)
    return list(session.scalars(found.order_by(HeldGrade.since.desc(), HeldGrade.entered_at.desc())))


def now_held(
    session: Session, kindergarten_ids: Collection[uuid.UUID] | None = None
) -> Mapping[uuid.UUID, list[Grade]]:
    """The grades that kindergartens hold now (of these or of all), in the order of the code list."""
    found = select(HeldGrade).join(Grade).where(HeldGrade.until.is_(None)).order_by(Grade.position)
    if kindergarten_ids is not None:
        found = found.where(HeldGrade.kindergarten_id.in_(kindergarten_ids))
    by_kindergarten: dict[uuid.UUID, list[Grade]] = defaultdict(list)
    for held in session.scalars(found):
        by_kindergarten[held.kindergarten_id].append(held.grade)
    return by_kindergarten


@dataclass(frozen=True)
class ListedGrades:
    """What an imported list says of a kindergarten: it holds exactly these grades, the new ones `since` a day."""

    kindergarten_id: uuid.UUID
    codes: frozenset[str]
    since: dt.date


def set_listed(session: Session, listed: Sequence[ListedGrades], document: str, *, by: Actor, now: dt.datetime) -> None:
    """Write what a list says: new grades begin, and those that it does not name end today."""
    wanted = {each.kindergarten_id: each for each in listed}
    there: dict[uuid.UUID, set[str]] = defaultdict(set)
    current = select(HeldGrade).where(HeldGrade.until.is_(None), HeldGrade.kindergarten_id.in_(wanted))
    for held in session.scalars(current.with_for_update(of=HeldGrade)):
        there[held.kindergarten_id].add(held.grade_code)
        if held.grade_code not in wanted[held.kindergarten_id].codes:
            held.until = today(now)
    for each in listed:
        for code in sorted(each.codes - there[each.kindergarten_id]):
            session.add(
                HeldGrade(
                    kindergarten_id=each.kindergarten_id, grade_code=code, since=each.since,
                    document=document[:LONGEST_DOCUMENT], entered_by=by.account_id, entered_at=now,
                )
            )  # fmt: skip
    session.flush()


def _lock(session: Session, kindergarten_id: uuid.UUID, by: Actor) -> None:
    found = scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    if not scope.may_decide(by, found):
        raise NotFound("kindergarten")
