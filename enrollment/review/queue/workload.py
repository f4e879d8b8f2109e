"""Statistics of the review: the load of each kindergarten and clerk, and the codes for the notice board.

Like the queue, limited to the actor's kindergartens and areas, and to one year or to the years that are not closed.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, String, and_, cast, func, or_, select, true, union
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Stage
from enrollment.applications.lifecycle import AWAITING_DECISION, HANDED_IN, MoveMade
from enrollment.ground.accounts import Account, Actor, Role
from enrollment.ground.audit import AuditEntry
from enrollment.places.kindergartens import Kindergarten
from enrollment.review.queue.due_dates import in_open_years
from enrollment.review.queue.task_groups import ids_that_wait_for_second
from enrollment.review.scope import within


@dataclass(frozen=True)
class Load:
    """What one kindergarten has to review, for an official who may reassign a part."""

    kindergarten_id: uuid.UUID
    kindergarten: str
    area_code: str
    waiting: int
    in_review: int
    returned: int
    confirmed: int
    refusals: int
    oldest: dt.datetime | None


@dataclass(frozen=True)
class Reviewer:
    """The work of one clerk: applications in review now, settled today and in total, and those that the clerk chose instead of
    taking the next one.

    `minutes` is the median time from taking an application to settling it, without bulk confirmations; None before the
    first.  `kindergartens` are the names of the kindergartens whose applications the clerk settled or has in review.
    """

    account_id: uuid.UUID
    name: str
    in_hand: int
    today: int
    settled: int
    picked: int
    minutes: int | None
    kindergartens: tuple[str, ...]


def workload(session: Session, year: int | None = None, *, by: Actor, now: dt.datetime) -> list[Reviewer]:
    """The clerks within the actor's scope with their work on applications of `year`, by name; a clerk sees the own row alone.

    Without `year`: the years that are not closed.
    """
    years = in_open_years(session) if year is None else Application.year == year
    read = and_(_to_be_read(by), years, reviewed())
    done, held = _settled(read, since=now - dt.timedelta(hours=24)).cte("done"), _in_hand(read).cte("held")
    everybody = by.is_any(Role.HEAD, Role.AREA_OFFICIAL, Role.CITY_OFFICIAL, Role.AUDITOR)
    people = union(select(done.c.account_id), select(held.c.reviewer_id)).cte("people")
    picked = _picked(read, select(people.c.account_id)).cte("picked")
    rows = session.execute(
        select(
            Account.id,
            Account.name,
            func.coalesce(held.c.number, 0).label("in_hand"),
            func.coalesce(done.c.today, 0).label("today"),
            func.coalesce(done.c.settled, 0).label("settled"),
            func.coalesce(picked.c.number, 0).label("picked"),
            done.c.minutes,
            (func.coalesce(done.c.kindergartens, []) + func.coalesce(held.c.kindergartens, [])).label("at"),
        )
        .join(people, people.c.account_id == Account.id)
        .outerjoin(done, done.c.account_id == Account.id)
        .outerjoin(held, held.c.reviewer_id == Account.id)
        .outerjoin(picked, picked.c.account_id == Account.id)
        .where(true() if everybody else Account.id == by.account_id)
    )
    return sorted(map(_reviewer, rows), key=lambda reviewer: reviewer.name)


def reviewed() -> ColumnElement[bool]:
    """SQL condition: a clerk took the application at least once, or it was decided, so that it has moves of the review.

    Both stand in the index of the queue: of what only waits no history is read.
    """
    return or_(Application.opened_at.is_not(None), Application.decided_at.is_not(None))


def _reviewer(row: Row) -> Reviewer:
    minutes = None if row.minutes is None else round(row.minutes)
    at = tuple(sorted(set(row.at)))
    return Reviewer(row.id, row.name, row.in_hand, row.today, row.settled, row.picked, minutes, at)


def _picked(read: ColumnElement[bool], accounts: Select[uuid.UUID]) -> Select:
    """How many applications each of these people chose (`leases.pick`)."""
    return (
        select(AuditEntry.account_id, func.count().label("number"))
        .join(Application, AuditEntry.subject_id == cast(Application.id, String))
        .where(AuditEntry.account_id.in_(accounts), AuditEntry.act == "pick", read)
        .group_by(AuditEntry.account_id)
    )


def _settled(read: ColumnElement[bool], *, since: dt.datetime) -> Select:
    """What each person settled, and the median minutes from taking to settling, without bulk confirmations.

    A bulk confirmation takes and confirms at the same moment, so the filter `at > taken` leaves it out.
    """
    before = func.lag(MoveMade.at).over(partition_by=MoveMade.application_id, order_by=MoveMade.number)
    moves = select(MoveMade.application_id, MoveMade.account_id, MoveMade.move, MoveMade.at, before.label("taken"))
    made = (
        moves.join(Application, Application.id == MoveMade.application_id)
        .where(read, MoveMade.move.in_(("take", "confirm", "send_back", "refuse")))
        .subquery()
    )
    minutes = func.extract("epoch", made.c.at - made.c.taken) / 60
    return (
        select(
            made.c.account_id,
            func.count().label("settled"),
            func.count().filter(made.c.at >= since).label("today"),
            func.percentile_cont(0.5).within_group(minutes).filter(made.c.at > made.c.taken).label("minutes"),
            func.array_agg(Kindergarten.name.distinct()).label("kindergartens"),
        )
        .join(Application, Application.id == made.c.application_id)
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(made.c.move != "take", made.c.account_id.is_not(None))
        .group_by(made.c.account_id)
    )


def _in_hand(read: ColumnElement[bool]) -> Select:
    return (
        select(
            Application.reviewer_id,
            func.count().label("number"),
            func.array_agg(Kindergarten.name.distinct()).label("kindergartens"),
        )
        .join(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .where(read, Application.stage == Stage.IN_REVIEW)
        .group_by(Application.reviewer_id)
    )


def _to_be_read(by: Actor) -> ColumnElement[bool]:
    """SQL condition: the applications whose statistics this person may read; an auditor reads all."""
    return true() if by.is_any(Role.AUDITOR) else within(by)


def loads(session: Session, year: int, *, by: Actor) -> list[Load]:
    """Every kindergarten in the actor's scope that has applications of `year` to review, the longest queue first.

    What is counted stands in an index (`ix_application__review`); only the few applications with a second person's work
    are read themselves.
    """
    at, open_ = Application.review_kindergarten_id, Application.stage.in_(AWAITING_DECISION)
    here = [_to_be_read(by), Application.year == year]
    stages = (Stage.SUBMITTED, Stage.IN_REVIEW, Stage.RETURNED, Stage.CONFIRMED)
    counted = (
        select(
            at.label("kindergarten_id"),
            *[func.count().filter(Application.stage == stage).label(stage) for stage in stages],
            func.count().filter(open_).label("open"),
            func.min(Application.submitted_at).filter(open_).label("oldest"),
        )
        .where(*here, Application.stage.in_(HANDED_IN))
        .group_by(at)
        .subquery()
    )
    waiting = ids_that_wait_for_second().subquery()
    seconds = (
        select(at.label("kindergarten_id"), func.count().label("number"))
        .join(waiting, waiting.c.application_id == Application.id)
        .where(*here, open_)
        .group_by(at)
        .subquery()
    )
    rows = session.execute(
        select(
            Kindergarten.id,
            Kindergarten.name,
            Kindergarten.area_code,
            *[counted.c[stage] for stage in stages],
            func.coalesce(seconds.c.number, 0),
            counted.c.oldest,
        )
        .join(counted, counted.c.kindergarten_id == Kindergarten.id)
        .outerjoin(seconds, seconds.c.kindergarten_id == Kindergarten.id)
        .order_by(counted.c.open.desc(), Kindergarten.sort_key)
    )
    return [Load(*row) for row in rows]


def open_lines(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor) -> Sequence[Row]:
    """All unsettled applications of `year` at a kindergarten, oldest first, without names.

    Columns: id, registration_code, stage, submitted_at.
    """
    return session.execute(
        select(Application.id, Application.registration_code, Application.stage, Application.submitted_at)
        .where(
            within(by),
            Application.review_kindergarten_id == kindergarten_id,
            Application.year == year,
            Application.stage.in_(AWAITING_DECISION),
        )
        .order_by(Application.submitted_at, Application.id)
    ).all()


def confirmed_codes(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor) -> dict[str, list[str]]:
    """Registration codes of the applications confirmed here, by class level: the list for the notice board 公示."""
    rows = session.execute(
        select(Application.level, Application.registration_code)
        .where(
            within(by),
            Application.review_kindergarten_id == kindergarten_id,
            Application.year == year,
            Application.stage == Stage.CONFIRMED,
        )
        .order_by(Application.registration_code)
    )
    listed: dict[str, list[str]] = {}
    for level, code in rows:
        listed.setdefault(level, []).append(code or "")
    return listed
