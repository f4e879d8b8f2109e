"""The lines of a queue: what each tells of its application, read for all lines of a page together."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground.accounts import Account
from enrollment.people.person_rows import Child
from enrollment.review import leases
from enrollment.review.queue.due_dates import ReviewTimes
from enrollment.review.queue.filters import Group


@dataclass(frozen=True)
class Line:
    """One line of the queue.  `born` is the child's birth date, a fact that registers compare.  `holder` is the clerk who has
    it in review, if the time is not over."""

    application_id: uuid.UUID
    group: Group
    registration_code: str
    child_name: str
    born: dt.date
    year: int
    level: str
    stage: str
    register_state: str | None
    submitted_at: dt.datetime
    decided_at: dt.datetime | None
    due: dt.datetime
    holder_id: uuid.UUID | None
    holder: str | None
    held_since: dt.datetime | None
    lease_until: dt.datetime | None


def of_rows(session: Session, numbered: Sequence[Row], times: ReviewTimes, now: dt.datetime) -> list[Line]:
    """The lines of these rows of the numbering, in their order."""
    found = read(session, numbered)
    return [as_line(Group(row.task), found[row.id], times, now) for row in numbered if row.id in found]


def read(session: Session, numbered: Sequence[Row]) -> Mapping[uuid.UUID, Row]:
    """What the lines of these rows of the numbering tell, by application.

    A statement of its own: joined to the numbering, PostgreSQL expects a third of all files and reads every child of the city.
    """
    about = (
        select(
            Application.id,
            Application.registration_code,
            Child.name,
            Child.born,
            Application.year,
            Application.level,
            Application.stage,
            Application.register_state,
            Application.submitted_at,
            Application.decided_at,
            Application.reviewer_id,
            Account.name.label("reviewer"),
            Application.taken_at,
            leases.until(),
        )
        .join(Child, Child.id == Application.child_id)
        .outerjoin(Account, Account.id == Application.reviewer_id)
        .where(Application.id.in_([row.id for row in numbered]))
    )
    return {row[0]: row for row in session.execute(about)} if numbered else {}


def as_line(group: Group, row: Row, times: ReviewTimes, now: dt.datetime) -> Line:
    *about, reviewer_id, reviewer, taken_at, until = row
    application_id, code, name, born, year, level, stage, state, submitted_at, decided_at = about
    live = until is not None and until > now
    holder = (reviewer_id, reviewer, taken_at, until) if live else (None, None, None, None)
    due = times.due(submitted_at)
    return Line(
        application_id, group, code, name, born, year, level, stage, state, submitted_at, decided_at, due, *holder
    )


def as_held(row: Row) -> leases.Held:
    application_id, code, *_about, reviewer_id, reviewer, taken_at, until = row
    return leases.Held(application_id, code, reviewer_id, reviewer or "", taken_at, until)
