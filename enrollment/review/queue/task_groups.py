"""The queue of the review in groups by what must be done, from the most urgent to what is done.

Every query is limited to the actor's kindergartens and areas.  An application is in exactly one group; a note or a newer
application never moves it.  Groups, counts and places are read from an index alone (`ix_application__in_queue`), and the
applications themselves only for the lines that a page shows, so that it costs about the same for twenty and for two thousand.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Row,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from enrollment.applications import claim_rows
from enrollment.applications.application_rows import Application, RegisterState, Stage
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.returned_items import RefusalProposal
from enrollment.ground.accounts import Actor
from enrollment.review import leases
from enrollment.review.queue import lines
from enrollment.review.queue.bulk_rows import BulkItem, BulkOutcome
from enrollment.review.queue.due_dates import ReviewTimes, in_open_years, registration_goes_on, review_times
from enrollment.review.queue.filters import EVERYTHING, Filter, Group
from enrollment.review.queue.lines import Line
from enrollment.review.scope import opens_early, registration_over, within
from enrollment.season.kept_years import ROUNDS
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

GROUPS = tuple(Group)
TO_OPEN = (Group.ANSWERED, Group.DUE, Group.NEW, Group.DIFFERS, Group.PAPERS)
"""The groups whose applications a clerk opens one by one."""

TAKEN_ONE_BY_ONE = (*TO_OPEN, Group.AGREES)
PER_PAGE = 50
FIRST_LINES = 4


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


@dataclass(frozen=True)
class Glance:
    """The queue on the first page of the desk: all numbers with the first line of each group, what waits for a second person,
    and the applications in review: with those who have them, the longest untouched first, and as lines."""

    overview: Overview
    second: Sequence[Line]
    held: Sequence[leases.Held]
    in_review: Mapping[uuid.UUID, Line]


_REFUSALS = select(RefusalProposal.application_id).where(RefusalProposal.decided_at.is_(None))
_FINDINGS = select(VerifiedFact.application_id).where(claim_rows.waits_for_second())


def waits_for_second() -> ColumnElement[bool]:
    """SQL condition: a refusal of the application, or a finding against a register, waits for a second person."""
    return or_(Application.id.in_(_REFUSALS), Application.id.in_(_FINDINGS))


def fault_in_sample() -> ColumnElement[bool]:
    """SQL condition: somebody reported a fault when it was in the sample of a bulk act, so that a person reads it."""
    fault: ColumnElement[str] = literal_column(f"'{BulkOutcome.FAULT}'")  # in the words of its index
    return Application.id.in_(select(BulkItem.application_id).where(BulkItem.outcome == fault))


def ids_that_wait_for_second() -> CompoundSelect:
    """SELECT application_id: all applications that wait for a second person, each once."""
    return _REFUSALS.union(_FINDINGS)


def group_of(times: ReviewTimes) -> ColumnElement[str]:
    """SQL expression: the group of the enclosing query's application."""
    agrees = and_(Application.register_state == RegisterState.AGREES, ~Application.on_hold, ~fault_in_sample())
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
    return [within(by), in_open_years(session), shown_in_queues(), may_be_reviewed(session, by, now)]


def shown_in_queues() -> ColumnElement[bool]:
    """SQL condition: handed in and not withdrawn, in the words of the index of the queue."""
    stages: BindParameter[Any] = bindparam(
        "not_shown", (Stage.DRAFT.value, Stage.WITHDRAWN.value), expanding=True, literal_execute=True
    )
    return Application.stage.not_in(stages)


def overview(
    session: Session, *, by: Actor, now: dt.datetime, limited: Filter = EVERYTHING, per_group: int = FIRST_LINES
) -> Overview:
    """The counts of all groups and their first lines."""
    times = review_times(session, now=now)
    numbered = _numbered(session, times, limited, by=by, now=now)
    first = select(numbered).where(numbered.c.place <= per_group).order_by(numbered.c.task, numbered.c.place)
    rows = session.execute(first).all()
    told: dict[Group, list[Line]] = {}
    for line in lines.of_rows(session, rows, times, now):
        told.setdefault(line.group, []).append(line)
    return Overview(times, {Group(row.task): row.size for row in rows}, told)


def listed(
    session: Session, group: Group, *, by: Actor, now: dt.datetime, limited: Filter = EVERYTHING, page: int = 1
) -> tuple[Overview, Page]:
    """The counts of all groups, and a page of one, what came first in front; what is done, the latest in front."""
    times = review_times(session, now=now)
    numbered = _numbered(session, times, limited, by=by, now=now)

    def rows_of(number: int) -> Sequence[Row]:
        after = (number - 1) * PER_PAGE
        shown = and_(numbered.c.task == group.value, numbered.c.place.between(after + 1, after + PER_PAGE))
        counted = numbered.c.place == 1
        return session.execute(select(numbered).where(or_(counted, shown)).order_by(numbered.c.place)).all()

    rows = rows_of(max(page, 1))
    sizes = {Group(row.task): row.size for row in rows}
    total = sizes.get(group, 0)
    last = max(-(-total // PER_PAGE), 1)
    number = min(max(page, 1), last)
    if number != max(page, 1):  # past the end: the last page
        rows = rows_of(number)
    first = (number - 1) * PER_PAGE + 1
    items = lines.of_rows(session, [row for row in rows if row.task == group and row.place >= first], times, now)
    return Overview(times, sizes), Page(items, number, last, total)


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
        .with_for_update(of=Application, key_share=True, skip_locked=True)
    )
    application_id = session.scalar(first)
    return None if application_id is None else leases.take(session, application_id, by=by, now=now)


def opens_at(session: Session, *, now: dt.datetime) -> dt.datetime | None:
    """When the next round's registration closes and its review opens; None when no registration is open."""
    kept = ROUNDS.of(session)
    if kept is not None:
        return min(
            (each.closes_at for each in kept if each.stage == RoundStage.OPEN and each.closes_at > now), default=None
        )
    return session.scalar(
        select(func.min(Round.closes_at)).where(Round.stage == RoundStage.OPEN, Round.closes_at > now)
    )


def glance(session: Session, *, by: Actor, now: dt.datetime) -> Glance:
    """What the first page of the desk tells of the queue, in two statements."""
    times = review_times(session, now=now)
    numbered = _numbered(session, times, EVERYTHING, by=by, now=now)
    second, held = numbered.c.task == Group.SECOND.value, numbered.c.stage == Stage.IN_REVIEW
    wanted = select(numbered).where(or_(numbered.c.place == 1, and_(second, numbered.c.place <= PER_PAGE), held))
    rows = session.execute(wanted.order_by(numbered.c.task, numbered.c.place)).all()
    read = lines.read(session, rows)
    told = {row.id: lines.as_line(Group(row.task), read[row.id], times, now) for row in rows if row.id in read}
    first = {Group(row.task): [told[row.id]] for row in rows if row.place == 1 and row.id in told}
    sizes = {Group(row.task): row.size for row in rows}
    held_now = [each for each in read.values() if each.reviewer_id is not None]
    return Glance(
        Overview(times, sizes, first),
        [told[row.id] for row in rows if row.task == Group.SECOND and row.id in told][:PER_PAGE],
        sorted(map(lines.as_held, held_now), key=lambda each: (each.lease_until, each.application_id)),
        {row.id: told[row.id] for row in held_now},
    )


def number_of(session: Session, group: Group, *, by: Actor, now: dt.datetime) -> int:
    """How many applications a group has."""
    mine = _mine(session, review_times(session, now=now), EVERYTHING, by=by, now=now)
    return session.scalar(select(func.count()).select_from(mine).where(mine.c.task == group.value)) or 0


def _mine(session: Session, times: ReviewTimes, limited: Filter, *, by: Actor, now: dt.datetime):
    """The applications of the queue with their group."""
    return (
        select(
            Application.id,
            Application.stage,
            Application.submitted_at,
            Application.decided_at,
            group_of(times).label("task"),
        )
        .where(*in_queue(session, by=by, now=now), *limited.conditions(by))
        .subquery("mine")
    )


def _numbered(session: Session, times: ReviewTimes, limited: Filter, *, by: Actor, now: dt.datetime):
    """The same with the size of the group and their place in it."""
    mine = _mine(session, times, limited, by=by, now=now)
    latest = case((mine.c.task == Group.DONE.value, mine.c.decided_at)).desc().nulls_last()
    place = func.row_number().over(partition_by=mine.c.task, order_by=(latest, mine.c.submitted_at, mine.c.id))
    size = func.count().over(partition_by=mine.c.task)
    return select(mine.c.id, mine.c.task, mine.c.stage, place.label("place"), size.label("size")).subquery("numbered")
