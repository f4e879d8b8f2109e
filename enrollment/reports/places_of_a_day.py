"""The places ledger of an earlier day, from the entries of the ledger and the moves of the offers.

Both are only ever added to, so a day is read by going back over all that came after it.  Of a period the fewest free places count:
a child can be promised only what is free on each of its days.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU, today
from enrollment.ground.classifications import LEVELS
from enrollment.offers.offer_rows import LIVE, Offer, OfferMove, OfferState
from enrollment.places import scope
from enrollment.places.class_plan import NUMBERS, LevelPlan
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.ledger_rows import LICENCE, NO_LICENCE, LedgerEntry
from enrollment.places.plans import receipts
from enrollment.places.plans.class_loss import ClassLoss, LossState
from enrollment.places.plans.receipts import Receipt
from enrollment.places.programmes import Programme, ProgrammeState, of_kindergarten

DAY = dt.timedelta(days=1)
LONGEST_PERIOD = 400 * DAY
POOL = "pool:"
"""Begins the field of an entry about reserved places: `pool:<code>` is their number, `pool:<code>:<part>` the rest."""


@dataclass(frozen=True)
class LevelOfADay:
    """A level as it was at the end of a day; `taken` are the live offers then, `reserved` the places kept for groups."""

    level: str
    plan: LevelPlan
    state: str
    taken: int
    reserved: int = 0

    differs = False

    @property
    def free(self) -> int:
        """As on the page of the ledger of today."""
        return receipts.free_places(self.plan.places, self.reserved, self.taken)

    @property
    def is_approved(self) -> bool:
        return self.state == ProgrammeState.APPROVED


@dataclass(frozen=True)
class LedgerOfADay:
    day: dt.date
    kindergarten: Kindergarten
    licensed: int | None
    lines: tuple[LevelOfADay, ...]

    @property
    def places(self) -> int:
        return sum(line.plan.places for line in self.lines)

    @property
    def free(self) -> int:
        return sum(line.free for line in self.lines)

    def receipt(self, level: str) -> Receipt:
        return receipts.receipt(level, {line.level: line.plan for line in self.lines}, self.licensed)


@dataclass(frozen=True)
class Period:
    """The ledger of the first day, and of each level the day with the fewest free places, the earliest of several."""

    first: LedgerOfADay
    last_day: dt.date
    least: tuple[tuple[dt.date, LevelOfADay], ...]


def period(
    session: Session,
    kindergarten_id: uuid.UUID,
    year: int,
    since: dt.date,
    until: dt.date,
    *,
    by: Actor,
    now: dt.datetime,
) -> Period:
    """The days from `since` to `until`, none of them after today.  NotFound outside the scope."""
    here = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    since = min(since, today(now))
    until = min(max(until, since), today(now), since + LONGEST_PERIOD)
    days = list(_backwards(session, here, year, since, until))
    least: dict[str, tuple[dt.date, LevelOfADay]] = {}
    for each in days:
        for line in each.lines:
            if line.level not in least or line.free <= least[line.level][1].free:
                least[line.level] = (each.day, line)
    return Period(days[-1], until, tuple(least.values()))


def _backwards(
    session: Session, here: Kindergarten, year: int, since: dt.date, until: dt.date
) -> Iterator[LedgerOfADay]:
    programmes = of_kindergarten(session, here.id, year)
    states = {each.id: _State(each) for each in programmes}
    later = _begin_of(since + DAY)
    of_these = [each.id for each in programmes]
    entries = list(
        session.scalars(
            select(LedgerEntry)
            .where(LedgerEntry.programme_id.in_(of_these), LedgerEntry.at >= later)
            .order_by(LedgerEntry.number)
        )
    )
    moves = list(
        session.execute(
            select(Offer.programme_id, OfferMove.at, OfferMove.before, OfferMove.after)
            .join(Offer, Offer.id == OfferMove.offer_id)
            .where(Offer.programme_id.in_(of_these), OfferMove.at >= later)
            .order_by(OfferMove.at, OfferMove.number)
        )
    )
    day = until
    while day >= since:
        end = _begin_of(day + DAY)
        while entries and entries[-1].at >= end:
            states[entries[-1].programme_id].take_back(entries.pop())
        while moves and moves[-1].at >= end:
            programme_id, _at, before, after = moves.pop()
            states[programme_id].taken += (before in LIVE) - (after in LIVE)
        licensed = next((state.licensed for state in states.values()), here.licensed_classes)
        yield LedgerOfADay(day, here, licensed, tuple(each.line() for each in states.values()))
        day -= DAY


def _begin_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), CHENGDU)


@dataclass(frozen=True)
class Coming:
    """What is already known of a day to come: `number` children or places of a level."""

    day: dt.date
    level: str
    code: str
    number: int


def coming(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime) -> list[Coming]:
    """What will change the ledger on a day to come, by what is known now, the nearest day first.

    Places that nobody confirmed until their answer is due go to the next child (`answers_due`); children who were kept
    above their classes are kept until a last day (`kept_until`).  Proposals that wait are no part of it: nobody knows
    whether they will be approved.  NotFound outside the scope.
    """
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    levels = {each.id: each.level for each in of_kindergarten(session, kindergarten_id, year)}
    due = select(Offer.programme_id, Offer.answer_by).where(
        Offer.programme_id.in_(levels), Offer.state == OfferState.OFFERED, Offer.answer_by > now
    )
    asked = Counter((today(row.answer_by), levels[row.programme_id]) for row in session.execute(due))
    kept = select(ClassLoss.programme_id, ClassLoss.until_day, ClassLoss.kept).where(
        ClassLoss.programme_id.in_(levels), ClassLoss.state == LossState.SIGNED, ClassLoss.kept > 0,
        ClassLoss.until_day > today(now),
    )  # fmt: skip
    found = [Coming(day, level, "answers_due", number) for (day, level), number in asked.items()]
    found += [Coming(row.until_day, levels[row.programme_id], "kept_until", row.kept) for row in session.execute(kept)]
    return sorted(found, key=lambda each: (each.day, LEVELS.index(each.level), each.code))


class _State:
    """The numbers of a programme while its entries are taken back one by one."""

    def __init__(self, programme: Programme):
        self.level, self.taken, self.stood_at = programme.level, programme.taken, str(programme.state)
        self.numbers = {number: getattr(programme, number) for number in NUMBERS}
        self.licensed = programme.kindergarten.licensed_classes
        self.reserved = {f"{POOL}{pool.code}": pool.places for pool in programme.pools}

    def take_back(self, entry: LedgerEntry) -> None:
        if entry.field == LICENCE:
            self.licensed = None if entry.before in (None, NO_LICENCE) else int(entry.before)
        elif entry.field == "state":
            self.stood_at = entry.before or str(ProgrammeState.DRAFT)
        elif entry.field in self.numbers:
            self.numbers[entry.field] = int(entry.before or 0)
        elif entry.field.startswith(POOL) and entry.field.count(":") == 1:
            self.reserved[entry.field] = int(entry.before or 0)  # a pool of that time may have gone since

    def line(self) -> LevelOfADay:
        reserved = sum(self.reserved.values())
        return LevelOfADay(self.level, LevelPlan(**self.numbers), self.stood_at, self.taken, reserved)
