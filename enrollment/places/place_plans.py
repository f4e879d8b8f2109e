"""Views of the places ledger: a kindergarten's plan by level, its history, and plans that wait for approval."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Account, Actor
from enrollment.ground.errors import Refused
from enrollment.places import class_plan, kindergartens, ledger, roll, scope
from enrollment.places.approvals.papers import ApprovalPaper
from enrollment.places.areas import CLASS_NORM, LEVELS
from enrollment.places.class_plan import LevelPlan
from enrollment.places.kindergartens import Kindergarten, Page
from enrollment.places.ledger import REASON_FROM_ROLL, LedgerEntry, PlanProposal
from enrollment.places.plans import receipts
from enrollment.places.plans.receipts import Receipt
from enrollment.places.programmes import Programme, of_kindergarten

OLDEST_FIRST = func.min(PlanProposal.made_at)


@dataclass(frozen=True)
class LevelLine:
    """One class level.  `programme` is None before a plan exists; `from_roll` is the number of continuing children.

    `sent_back` and `set_aside` are the newest proposal, if the area sent it back or newer numbers took its place.
    """

    level: str
    programme: Programme | None
    proposal: PlanProposal | None
    sent_back: PlanProposal | None
    set_aside: PlanProposal | None
    from_roll: int

    @property
    def plan(self) -> LevelPlan:
        """The approved numbers."""
        if self.programme is None:
            return LevelPlan(class_norm=CLASS_NORM[self.level])
        return class_plan.plan_of(self.programme)

    @property
    def wanted(self) -> LevelPlan:
        """The proposed numbers, otherwise the approved ones."""
        return self.proposal.plan if self.proposal else self.plan

    @property
    def reserved(self) -> int:
        return sum(pool.places for pool in self.programme.pools) if self.programme else 0

    @property
    def free(self) -> int:
        """Approved places that nobody holds and that are not kept for a group."""
        return receipts.free_places(self.plan.places, self.reserved, self.programme.taken if self.programme else 0)

    @property
    def differs(self) -> bool:
        """Whether the roll says another number of continuing children than the plan."""
        return self.programme is not None and self.from_roll != self.wanted.continuing

    @property
    def is_on_roll_alone(self) -> bool:
        """Whether children of the roll come up into this level, for which nobody has planned a class."""
        return self.from_roll > 0 and not self.wanted.planned_classes

    @property
    def counted(self) -> LevelPlan:
        """What the level takes of the licence: its numbers, without a plan the classes that the children of the roll need."""
        if not self.is_on_roll_alone:
            return self.wanted
        norm = CLASS_NORM[self.level]
        classes = -(-self.from_roll // norm)
        return LevelPlan(classes, classes, norm, self.from_roll)

    @property
    def corrected(self) -> LevelPlan:
        """The plan with the continuing children of the roll."""
        return replace(self.wanted, continuing=self.from_roll)


@dataclass(frozen=True)
class PlacePlan:
    kindergarten: Kindergarten
    year: int
    lines: list[LevelLine]

    @property
    def planned_classes(self) -> int:
        return sum(line.wanted.planned_classes for line in self.lines)

    @property
    def children(self) -> int:
        return sum(line.wanted.children for line in self.lines)

    @property
    def places(self) -> int:
        return sum(line.plan.places for line in self.lines)

    @property
    def places_wanted(self) -> int:
        return sum(line.wanted.places for line in self.lines)

    @property
    def is_waiting(self) -> bool:
        return any(line.proposal for line in self.lines)

    @property
    def open_ids(self) -> list[uuid.UUID]:
        """The proposals that wait: what somebody who decides has read."""
        return [line.proposal.id for line in self.lines if line.proposal]

    @property
    def fault(self) -> Refused | None:
        """The reason why the proposed plan cannot be approved; None if it can."""
        try:
            class_plan.check_kindergarten({x.level: x.wanted for x in self.lines}, self.kindergarten.licensed_classes)
        except Refused as refused:
            return refused
        return None

    def receipt(self, level: str) -> Receipt:
        """The sum of the level's places as it would be after approval, line by line."""
        plans = {line.level: line.wanted if line.level == level else line.counted for line in self.lines}
        unplanned = {line.level for line in self.lines if line.is_on_roll_alone}
        return receipts.receipt(level, plans, self.kindergarten.licensed_classes, unplanned)

    def line(self, level: str) -> LevelLine | None:
        return next((line for line in self.lines if line.level == level), None)


@dataclass(frozen=True)
class HistoryEntry:
    """One entry of the history; `author` is None for acts of the system."""

    at: dt.datetime
    level: str
    field: str
    before: str | None
    after: str
    reason: str
    author: str | None
    paper: ApprovalPaper | None


def place_plan(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime) -> PlacePlan:
    """All four levels of a kindergarten, youngest first.  NotFound outside the actor's scope."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    return place_plans(session, [kindergarten], year, now=now)[0]


def place_plans(
    session: Session, kindergartens: Sequence[Kindergarten], year: int, *, now: dt.datetime
) -> list[PlacePlan]:
    """The same of these kindergartens, which the caller has found within the actor's scope."""
    ids = [each.id for each in kindergartens]
    found = select(Programme).where(Programme.kindergarten_id.in_(ids), Programme.year == year)
    rows = {(row.kindergarten_id, row.level): row for row in session.scalars(found)}
    continuing = roll.continuing_children(session, ids, year, now=now)
    asked = _proposals(session, [row.id for row in rows.values()])
    return [
        PlacePlan(
            each,
            year,
            [_level_line(level, rows.get((each.id, level)), asked, continuing[each.id]) for level in LEVELS],
        )
        for each in kindergartens
    ]


def _proposals(session: Session, programme_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[PlanProposal]]:
    """Proposals of each programme, newest first."""
    found = select(PlanProposal).where(PlanProposal.programme_id.in_(programme_ids))
    asked: dict[uuid.UUID, list[PlanProposal]] = {}
    for proposal in session.scalars(found.order_by(PlanProposal.made_at.desc(), PlanProposal.decided_at.desc())):
        asked.setdefault(proposal.programme_id, []).append(proposal)
    return asked


def _level_line(
    level: str,
    programme: Programme | None,
    asked: dict[uuid.UUID, list[PlanProposal]],
    continuing: dict[str, int],
) -> LevelLine:
    earlier = asked.get(programme.id, []) if programme is not None else []
    proposal = next((each for each in earlier if each.decision is None), None)
    latest = earlier[0] if earlier else None
    ended = None if proposal else latest
    sent_back = ended if ended and ended.decision == "sent_back" else None
    set_aside = ended if ended and ended.decision == "replaced" else None
    return LevelLine(level, programme, proposal, sent_back, set_aside, continuing.get(level, 0))


def history(
    session: Session,
    kindergarten_id: uuid.UUID,
    year: int,
    *,
    by: Actor,
    level: str | None = None,
    page: int = 1,
    per_page: int = 30,
) -> Page:
    """The ledger of a kindergarten's year, or of one level, newest first, with the author's name."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    query = (
        select(LedgerEntry)
        .join(Programme, Programme.id == LedgerEntry.programme_id)
        .where(Programme.kindergarten_id == kindergarten.id, Programme.year == year)
        .order_by(LedgerEntry.number.desc())
    )
    if level is not None:
        query = query.where(Programme.level == level)
    found = kindergartens.paginate(session, query, page, per_page)
    levels = {row.id: row.level for row in of_kindergarten(session, kindergarten.id, year)}
    wanted = {entry.account_id for entry in found.items if entry.account_id}
    authors = {row.id: row.name for row in session.scalars(select(Account).where(Account.id.in_(wanted)))}
    items = [
        HistoryEntry(
            e.at, levels[e.programme_id], e.field, e.before, e.after, e.reason, authors.get(e.account_id), e.paper
        )
        for e in found.items
    ]
    return Page(items, found.number, found.last, found.total)


def propose_from_roll(
    session: Session,
    kindergarten_id: uuid.UUID,
    level: str,
    year: int,
    *,
    version: int | None,
    seen: uuid.UUID | None,
    by: Actor,
    now: dt.datetime,
) -> PlanProposal:
    """Propose the plan with the continuing children of the roll.  Refuses `roll_agrees`, and what `ledger.propose` refuses."""
    line = place_plan(session, kindergarten_id, year, by=by, now=now).line(level)
    if line is None or not line.differs:
        raise Refused("roll_agrees")
    return ledger.propose_level(
        session, kindergarten_id, level, year, by=by, now=now, reason=REASON_FROM_ROLL, version=version, seen=seen,
        **{number: getattr(line.corrected, number) for number in class_plan.NUMBERS},
    )  # fmt: skip


@dataclass(frozen=True)
class ProposalEntry:
    """A proposal in the history: `number` counts the level's proposals of the year; names are None for the system."""

    number: int
    level: str
    proposal: PlanProposal
    maker: str | None
    decider: str | None


def proposals(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor) -> list[ProposalEntry]:
    """Every proposal of a kindergarten's year, replaced ones too, newest first."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    levels = {row.id: row.level for row in of_kindergarten(session, kindergarten.id, year)}
    found = select(PlanProposal).where(PlanProposal.programme_id.in_(levels))
    rows = list(session.scalars(found.order_by(PlanProposal.made_at, PlanProposal.decided_at.nulls_last())))
    ids = {row.made_by for row in rows} | {row.decided_by for row in rows}
    people = session.scalars(select(Account).where(Account.id.in_(ids - {None})))
    names: dict[uuid.UUID | None, str] = {one.id: one.name for one in people}
    numbers: Counter[uuid.UUID] = Counter()
    entries = []
    for row in rows:
        numbers[row.programme_id] += 1
        number, level = numbers[row.programme_id], levels[row.programme_id]
        entries.append(ProposalEntry(number, level, row, names.get(row.made_by), names.get(row.decided_by)))
    return entries[::-1]


def waiting_query(by: Actor, year: int, area: str | None) -> Select:
    query = (
        select(Kindergarten.id)
        .join(Programme, Programme.kindergarten_id == Kindergarten.id)
        .join(PlanProposal, PlanProposal.programme_id == Programme.id)
        .where(PlanProposal.decision.is_(None), Programme.year == year, scope.scope_condition(by))
        .group_by(Kindergarten.id)
        .order_by(OLDEST_FIRST, Kindergarten.id)
    )
    return query.where(Kindergarten.area_code == area) if area else query


def waiting_plans(
    session: Session,
    year: int,
    *,
    by: Actor,
    now: dt.datetime,
    area: str | None = None,
    page: int = 1,
    per_page: int = 20,
) -> Page:
    """Plans that wait for approval, oldest proposal first."""
    found = kindergartens.paginate(session, waiting_query(by, year, area), page, per_page)
    items = [place_plan(session, kindergarten_id, year, by=by, now=now) for kindergarten_id in found.items]
    return Page(items, found.number, found.last, found.total)


def count_waiting_by_area(session: Session, year: int, *, by: Actor) -> dict[str, int]:
    """Number of kindergartens with open proposals, by area within the actor's scope."""
    inner = waiting_query(by, year, None).order_by(None).subquery()
    query = select(Kindergarten.area_code, func.count()).where(Kindergarten.id.in_(select(inner.c.id)))
    rows = session.execute(query.group_by(Kindergarten.area_code))
    return {row[0]: row[1] for row in rows}
