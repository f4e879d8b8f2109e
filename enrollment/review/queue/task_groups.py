"""The queue of the review in groups by what must be done, from the most urgent to what is done.

Every query is limited to the actor's kindergartens and areas.  An application is in exactly one group; a note or a newer
application never moves it.  The groups are read from columns of the application alone, so that a page costs about the same
for twenty and for two thousand applications.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, CompoundSelect, Row, and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from enrollment.applications import claim_rows
from enrollment.applications.application_rows import Application, RegisterState, Stage
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.returned_items import RefusalProposal
from enrollment.ground.accounts import Account, Actor
from enrollment.people.person_rows import Child
from enrollment.review import leases
from enrollment.review.queue.due_dates import ReviewTimes, in_open_years, registration_goes_on, review_times
from enrollment.review.queue.filters import EVERYTHING, Filter, Group
from enrollment.review.scope import opens_early, registration_over, within
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

GROUPS = tuple(Group)
TO_OPEN = (Group.ANSWERED, Group.DUE, Group.NEW, Group.DIFFERS, Group.PAPERS)
"""The groups whose applications a clerk opens one by one."""

TAKEN_ONE_BY_ONE = (*TO_OPEN, Group.AGREES)
PER_PAGE = 50
FIRST_LINES = 4


@dataclass(frozen=True)
class Line:
    """One line of the queue.  `holder` is the clerk who has it in review, if the time is not over."""

    application_id: uuid.UUID
    group: Group
    registration_code: str
    child_name: str
    year: int
    level: str
    stage: str
    register_state: str | None
    submitted_at: dt.datetime
    changed_at: dt.datetime
    due: dt.datetime
    holder_id: uuid.UUID | None
    holder: str | None
    held_since: dt.datetime | None
    lease_until: dt.datetime | None


@dataclass(frozen=True)
class Overview:
    """The queue at a glance: how many applications each group has, and its first lines."""

    times: ReviewTimes
    counts: Mapping[Group, int] = field(default_factory=dict)
    lines: Mapping[Group, Sequence[Line]] = field(default_factory=dict)

    def number(self, *groups: Group) -> int:
        return sum(self.counts.get(group, 0) for group in groups or GROUPS)


@dataclass(frozen=True)
class Page:
    """One page of a group: `number` from 1 to `last`, `total` lines in all."""

    items: Sequence[Line]
    number: int
    last: int
    total: int


@dataclass(frozen=True)
class Neighbours:
    """The place of an application in its group, from 1 to `total`, and those before and after it.

    `to_open`: how many applications of the whole queue a clerk still has to open.
    """

    place: int
    total: int
    before: uuid.UUID | None
    after: uuid.UUID | None
    to_open: int


_REFUSALS = select(RefusalProposal.application_id).where(RefusalProposal.decided_at.is_(None))
_FINDINGS = select(VerifiedFact.application_id).where(claim_rows.waits_for_second())


def waits_for_second() -> ColumnElement[bool]:
    """SQL condition: a refusal of the application, or a finding against a register, waits for a second person."""
    return or_(Application.id.in_(_REFUSALS), Application.id.in_(_FINDINGS))


def ids_that_wait_for_second() -> CompoundSelect:
    """SELECT application_id: all applications that wait for a second person, each once."""
    return _REFUSALS.union(_FINDINGS)


def group_of(times: ReviewTimes) -> ColumnElement[str]:
    """SQL expression: the group of the enclosing query's application."""
    agrees = and_(Application.register_state == RegisterState.AGREES, ~Application.on_hold)
    return case(
        (Application.stage == Stage.RETURNED, Group.RETURNED.value),
        (Application.stage.in_((Stage.CONFIRMED, Stage.REFUSED)), Group.DONE.value),
        (waits_for_second(), Group.SECOND.value),
        (Application.returned_at.is_not(None), Group.ANSWERED.value),
        (agrees, Group.AGREES.value),
        (times.due_today(), Group.DUE.value),
        (Application.opened_at.is_(None), Group.NEW.value),
        (Application.register_state == RegisterState.DIFFERS, Group.DIFFERS.value),
        else_=Group.PAPERS.value,
    )


def may_be_reviewed(session: Session, by: Actor, now: dt.datetime) -> ColumnElement[bool]:
    """SQL condition: applications that may be reviewed now; all, where the policy opens the review early."""
    if not registration_goes_on(session, now=now):
        return true()
    early = [kindergarten for kindergarten in by.kindergartens if opens_early(session, kindergarten, now=now)]
    return or_(
        Application.stage != Stage.SUBMITTED,
        registration_over(now),
        Application.review_kindergarten_id.in_(early),
    )


def in_queue(session: Session, *, by: Actor, now: dt.datetime) -> list[ColumnElement[bool]]:
    """SQL conditions: the applications that a queue of this actor shows."""
    shown = Application.stage.not_in((Stage.DRAFT, Stage.WITHDRAWN))
    return [within(by), in_open_years(), shown, may_be_reviewed(session, by, now)]


def overview(
    session: Session, *, by: Actor, now: dt.datetime, limited: Filter = EVERYTHING, per_group: int = FIRST_LINES
) -> Overview:
    """The counts of all groups and their first lines."""
    times = review_times(session, now=now)
    numbered = _numbered(session, times, limited, by=by, now=now)
    first = select(numbered).where(numbered.c.place <= per_group).order_by(numbered.c.task, numbered.c.place)
    rows = session.execute(first).all()
    lines: dict[Group, list[Line]] = {}
    for line in _lines(session, rows, times, now):
        lines.setdefault(line.group, []).append(line)
    return Overview(times, {Group(row.task): row.size for row in rows}, lines)


def page_of(
    session: Session, group: Group, *, by: Actor, now: dt.datetime, limited: Filter = EVERYTHING, page: int = 1
) -> Page:
    """A page of one group, what came first in front; what is done, the latest in front."""
    times = review_times(session, now=now)
    numbered = _numbered(session, times, limited, by=by, now=now)
    of_group = select(numbered).where(numbered.c.task == group.value).order_by(numbered.c.place)

    def rows_of(number: int) -> Sequence[Row]:
        after = (number - 1) * PER_PAGE
        return session.execute(of_group.where(numbered.c.place.between(after + 1, after + PER_PAGE))).all()

    number = max(page, 1)
    rows = rows_of(number)
    if not rows and number > 1:  # past the end: the last page
        total = session.scalar(select(func.count()).select_from(of_group.subquery())) or 0
        number = max(-(-total // PER_PAGE), 1)
        rows = rows_of(number)
    total = rows[0].size if rows else 0
    return Page(_lines(session, rows, times, now), number, max(-(-total // PER_PAGE), 1), total)


def neighbours(
    session: Session, application_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> tuple[Group, Neighbours] | None:
    """The group of an application and its place there; None for one that no queue shows."""
    numbered = _numbered(session, review_times(session, now=now), EVERYTHING, by=by, now=now)
    around = select(
        numbered.c.id,
        numbered.c.task,
        numbered.c.place,
        numbered.c.size,
        func.lag(numbered.c.id).over(partition_by=numbered.c.task, order_by=numbered.c.place).label("before"),
        func.lead(numbered.c.id).over(partition_by=numbered.c.task, order_by=numbered.c.place).label("after"),
        func.count().filter(numbered.c.task.in_([group.value for group in TO_OPEN])).over().label("to_open"),
    ).subquery()
    row = session.execute(select(around).where(around.c.id == application_id)).one_or_none()
    if row is None:
        return None
    return Group(row.task), Neighbours(row.place, row.size, row.before, row.after, row.to_open)


def take_next(
    session: Session, *, by: Actor, now: dt.datetime, group: Group | None = None, limited: Filter = EVERYTHING
) -> Application | None:
    """Take the first application that nobody has: of this group, or of the groups in their order; None if none waits.

    An application that another transaction has locked is passed over.
    """
    task = group_of(review_times(session, now=now))
    wanted = TAKEN_ONE_BY_ONE if group is None or group not in TAKEN_ONE_BY_ONE else (group,)
    rank = case({each.value: place for place, each in enumerate(wanted)}, value=task)
    first = (
        select(Application.id)
        .where(*in_queue(session, by=by, now=now), *limited.conditions(by), leases.is_free(by, now), rank.is_not(None))
        .order_by(rank, Application.submitted_at, Application.id)
        .limit(1)
        .with_for_update(of=Application, skip_locked=True)
    )
    application_id = session.scalar(first)
    return None if application_id is None else leases.take(session, application_id, by=by, now=now)


def opens_at(session: Session, *, now: dt.datetime) -> dt.datetime | None:
    """When the next round's registration closes and its review opens; None when no registration is open."""
    return session.scalar(
        select(func.min(Round.closes_at)).where(Round.stage == RoundStage.OPEN, Round.closes_at > now)
    )


def _numbered(session: Session, times: ReviewTimes, limited: Filter, *, by: Actor, now: dt.datetime):
    """The applications of the queue with their group, the size of the group and their place in it."""
    mine = (
        select(Application.id, Application.submitted_at, Application.changed_at, group_of(times).label("task"))
        .where(*in_queue(session, by=by, now=now), *limited.conditions(by))
        .subquery("mine")
    )
    latest = case((mine.c.task == Group.DONE.value, mine.c.changed_at))
    place = func.row_number().over(partition_by=mine.c.task, order_by=(latest.desc(), mine.c.submitted_at, mine.c.id))
    size = func.count().over(partition_by=mine.c.task)
    return select(mine.c.id, mine.c.task, place.label("place"), size.label("size")).subquery("numbered")


def _lines(session: Session, numbered: Sequence[Row], times: ReviewTimes, now: dt.datetime) -> list[Line]:
    """The lines of these rows of `_numbered`, in their order.

    A statement of its own: joined to the numbering, PostgreSQL expects a third of all files and reads every child of the city.
    """
    about = (
        select(
            Application.id,
            Application.registration_code,
            Child.name,
            Application.year,
            Application.level,
            Application.stage,
            Application.register_state,
            Application.submitted_at,
            Application.changed_at,
            Application.reviewer_id,
            Account.name,
            Application.taken_at,
            leases.until(),
        )
        .join(Child, Child.id == Application.child_id)
        .outerjoin(Account, Account.id == Application.reviewer_id)
        .where(Application.id.in_([row.id for row in numbered]))
    )
    found = {row[0]: row for row in session.execute(about)} if numbered else {}
    return [_as_line(Group(row.task), found[row.id], times, now) for row in numbered if row.id in found]


def _as_line(group: Group, row: Row, times: ReviewTimes, now: dt.datetime) -> Line:
    *about, reviewer_id, reviewer, taken_at, until = row
    application_id, code, name, year, level, stage, state, submitted_at, changed_at = about
    live = until is not None and until > now
    holder = (reviewer_id, reviewer, taken_at, until) if live else (None, None, None, None)
    due = times.due(submitted_at)
    return Line(application_id, group, code, name, year, level, stage, state, submitted_at, changed_at, due, *holder)
