"""A family's result: where the child is placed, and for every wish the reason, with its numbers and the cut-off.

A family can check it from the published cut-offs alone: the first wish whose cut-off it meets is its place.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, fields

from sqlalchemy import literal, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.application_rows import FAMILY
from enrollment.applications.applications import Application
from enrollment.draw.draws import TICKETS
from enrollment.draw.run_rows import (
    PUBLISHED_PLACEMENTS,
    PUBLISHED_REASONS,
    REFUSED,
    RUNS,
    CutOff,
    Placement,
    Run,
    WishReason,
)
from enrollment.offers import waitlist
from enrollment.offers.offer_rows import OFFERS, PROPOSALS, OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.distances import minutes_on_foot
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.results import result_state
from enrollment.results.result_state import Line
from enrollment.season.kept_years import round_of
from enrollment.season.rounds import KINDS_WITH_WISHES, Round


@dataclass(frozen=True)
class WishResult:
    """`tier` counts from 0 as in the market; to people 优先级 is tier + 1.  The cut-off is None where there is no line.

    `in_line` is the place in line for this wish, from 1, while the family waits for it.
    """

    rank: int
    programme: Programme
    pool: str | None
    reason: str
    tier: int
    ticket: int
    cutoff_tier: int | None
    cutoff_ticket: int | None
    in_line: int | None
    line_at_opening: bool = False
    """Whether `in_line` is the place in line when the result was opened, and not that of now."""
    line_outside: bool = False
    """Whether the cut-off of the reserved places is that of other families: all whom they are reserved for got in."""

    @property
    def kindergarten(self) -> Kindergarten:
        return self.programme.kindergarten

    @property
    def reserved_for(self) -> str | None:
        """The name of the reserved places whose cut-off counted for this child; None for the places of all families."""
        return next((pool.name for pool in self.programme.pools if pool.code == self.pool), None)


@dataclass(frozen=True)
class Origin:
    """How the child came to its newest offer, where no wish of the shown run explains it.

    `moved_from` is the place that it left for a better wish.  `central` says that central placement proposed the place,
    `metres` how far it is from the home.
    """

    moved_from: Programme | None = None
    moved_at: dt.datetime | None = None
    central: bool = False
    metres: int | None = None

    @property
    def minutes(self) -> int | None:
        """The minutes of the walk."""
        return None if self.metres is None else minutes_on_foot(self.metres)


@dataclass(frozen=True)
class Outcome:
    """What the newest published round gave one child, as a list and a timeline tell it.

    `placed` and `rank` are of the run; `offer` is the child's newest offer of any round, at `offered_at`.
    """

    application: Application
    round: Round
    run: Run
    placed: Programme | None
    rank: int | None
    offer: Offer | None
    offered_at: Programme | None

    @property
    def holds(self) -> bool:
        """Whether the child holds a place now."""
        return self.offer is not None and self.offer.state in LIVE

    @property
    def place(self) -> Programme | None:
        """Where the newest offer is, else where the run placed the child."""
        return self.offered_at or self.placed

    @property
    def may_wait(self) -> bool:
        """Whether the child could still get a better wish."""
        return self.offer is not None and (self.offer.rank or 1) > 1


@dataclass(frozen=True)
class FamilyResult(Outcome):
    """The outcome with its reasons.  `bound_with` are the children who were placed together with it; `standing` is a code of
    `waitlist.CODES`."""

    ticket: int | None
    bound_with: tuple[Application, ...]
    standing: str
    wishes: tuple[WishResult, ...]
    origin: Origin = Origin()

    @property
    def waits_on(self) -> bool:
        """Whether the child is still on the waiting list of the round, though it lost or gave up a place of another."""
        return self.standing == "for_a_place"

    @property
    def withdrew(self) -> bool:
        """Whether the family has left the round, also if it has entered the child again for another one."""
        return self.standing == "withdrawn"

    @property
    def bound(self) -> int:
        """How many children were placed together, this one included; 1 for a child alone."""
        return 1 + len(self.bound_with)


def outcome(session: Session, application: Application) -> Outcome | None:
    """The newest published outcome of an application; None before the first."""
    found = _newest_placement(session, application.id)
    if found is None:
        return None
    placement, run, round_ = found
    offer = _newest_offer(session, application)
    return Outcome(
        application=application,
        round=round_,
        run=run,
        placed=session.get(Programme, placement.programme_id) if placement.programme_id else None,
        rank=placement.rank,
        offer=offer,
        offered_at=session.get(Programme, offer.programme_id) if offer else None,
    )


def for_application(session: Session, application_id: uuid.UUID, *, now: dt.datetime) -> FamilyResult | None:
    """The newest published result of an application; None before the first."""
    application = session.get_one(Application, application_id)
    told = outcome(session, application)
    if told is None:
        return None
    standing = waitlist.standings(session, told.round, now=now, application_id=application_id)
    code = next(iter(standing.values())).code
    in_line, better = code in waitlist.IN_LINE, waitlist.may_get_better(session, told.round.year, now=now)
    lines = result_state.read_ahead(session, application, told.run, told.round if in_line else None, better=better)
    return FamilyResult(
        **{each.name: getattr(told, each.name) for each in fields(told)},
        ticket=_ticket(session, application),
        bound_with=_bound(session, told.run, application),
        standing=code,
        wishes=_wishes(session, told, in_line, better, lines),
        origin=_origin(session, told.offer) if told.offer else Origin(),
    )


def _newest_placement(session: Session, application_id: uuid.UUID) -> tuple[Placement, Run, Round] | None:
    """Where the newest published run of a round with wishes put it: a place of central placement is the newest offer."""
    known = PUBLISHED_PLACEMENTS.ahead(session, application_id)
    if known is not None:
        runs = [(each, run, round_of(session, run.round_id)) for each in known for run in RUNS.of(session, each.run_id)]
        with_wishes = [each for each in runs if each[2].kind in KINDS_WITH_WISHES]
        return max(with_wishes, key=lambda each: (each[2].number, each[1].number), default=None)
    found = (
        select(Placement, Run, Round)
        .join(Run, Run.id == Placement.run_id)
        .join(Round, Round.id == Run.round_id)
        .where(
            Placement.application_id == application_id,
            Run.published_at.is_not(None),
            Round.kind.in_(KINDS_WITH_WISHES),
        )
        .order_by(Round.number.desc(), Run.number.desc())
        .limit(1)
    )
    row = session.execute(found).one_or_none()
    return None if row is None else (row.Placement, row.Run, row.Round)


def _origin(session: Session, offer: Offer) -> Origin:
    left = (each for each in OFFERS.of(session, offer.application_id) if _gave_way_to(each, offer))
    before = next(left, None)
    proposal = next(iter(PROPOSALS.of(session, offer.id)), None)
    return Origin(
        moved_from=session.get(Programme, before.programme_id) if before else None,
        moved_at=offer.made_at if before else None,
        central=proposal is not None,
        metres=proposal.metres if proposal else None,
    )


def _gave_way_to(offer: Offer, newer: Offer) -> bool:
    """Whether an offer ended because the child was moved to the newer one."""
    return (
        offer.state == OfferState.SUPERSEDED
        and offer.ended_at == newer.made_at
        and offer.programme_id != newer.programme_id
    )


def _ticket(session: Session, application: Application) -> int | None:
    tickets = TICKETS.of(session, application.child_id)
    return next((each.number for each in tickets if each.year == application.year), None)


def _bound(session: Session, run: Run, application: Application) -> tuple[Application, ...]:
    """The family's children who were placed together with this one in the run: one ticket counted for all of them.

    It is read from the run, because a bond may have ended since, and one that did not count was never in the run.
    """
    known = _bound_ahead(session, run, application)
    if known is not None:
        return known
    mine, theirs = aliased(WishReason), aliased(WishReason)
    found = (
        select(Application)
        .join(theirs, theirs.application_id == Application.id)
        .join(mine, (mine.run_id == theirs.run_id) & (mine.rank == theirs.rank) & (mine.ticket == theirs.ticket))
        .where(
            mine.run_id == run.id,
            mine.application_id == application.id,
            mine.rank == 1,
            Application.family_code == application.family_code,
            Application.year == application.year,
            Application.id != application.id,
        )
    )
    return tuple(session.scalars(found.order_by(Application.id)))


def _bound_ahead(session: Session, run: Run, application: Application) -> tuple[Application, ...] | None:
    """The same from what was read ahead; None if it was not."""
    family = FAMILY.ahead(session, application.family_code)
    if family is None:
        return None

    def first_tickets(application_id: uuid.UUID) -> set[int]:
        reasons = PUBLISHED_REASONS.of(session, application_id)
        return {each.ticket for each in reasons if each.run_id == run.id and each.rank == 1}

    others = [each for each in family if each.year == application.year and each.id != application.id]
    mine = first_tickets(application.id) if others else set()
    return tuple(sorted((each for each in others if mine & first_tickets(each.id)), key=lambda each: each.id))


def _newest_offer(session: Session, application: Application) -> Offer | None:
    offers = OFFERS.of(session, application.id)
    return max(offers, key=lambda offer: (offer.state in LIVE, offer.made_at), default=None)


def _wishes(
    session: Session, told: Outcome, in_line: bool, better: bool, lines: dict[int, Line] | None
) -> tuple[WishResult, ...]:
    """`lines` is what `result_state` has read, by rank; None if it has not."""

    def place(mine: WishReason) -> int | None:
        if not in_line or mine.reason not in REFUSED:
            return None
        if lines is not None:
            return lines[mine.rank].place
        return 1 + (session.scalar(result_state.standing_before(mine, told.round.id, literal(better))) or 0)

    if lines is not None:
        reasons = _reasons_ahead(session, told, lines)
    else:
        reasons = _reasons(session, told.run, told.application.id)
    return tuple(
        WishResult(
            rank=row.rank,
            programme=programme,
            pool=row.pool,
            reason=row.reason,
            tier=row.tier,
            ticket=row.ticket,
            cutoff_tier=row.cutoff_tier,
            cutoff_ticket=row.cutoff_ticket,
            in_line=place(row),
            line_outside=eligible == 0,
        )
        for row, programme, eligible in reasons
    )


Reason = tuple[WishReason, Programme, int | None]
"""The reason of a wish, its programme, and for how many families the places were whose cut-off counted."""


def _reasons_ahead(session: Session, told: Outcome, lines: dict[int, Line]) -> list[Reason]:
    reasons = (each for each in PUBLISHED_REASONS.of(session, told.application.id) if each.run_id == told.run.id)
    return [
        (each, session.get_one(Programme, each.programme_id), lines[each.rank].eligible)
        for each in sorted(reasons, key=lambda each: each.rank)
    ]


def _reasons(session: Session, run: Run, application_id: uuid.UUID) -> list[Reason]:
    found = (
        select(WishReason, Programme, CutOff.eligible)
        .join(Programme, Programme.id == WishReason.programme_id)
        .outerjoin(
            CutOff,
            (CutOff.run_id == WishReason.run_id)
            & (CutOff.programme_id == WishReason.programme_id)
            & (CutOff.pool == WishReason.pool),
        )
        .where(WishReason.run_id == run.id, WishReason.application_id == application_id)
        .order_by(WishReason.rank)
    )
    return [(reason, programme, eligible) for reason, programme, eligible in session.execute(found)]
