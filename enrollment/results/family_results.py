"""A family's result: where the child is placed, and for every wish the reason, with its numbers and the cut-off.

A family can check it from the published cut-offs alone: the first wish whose cut-off it meets is its place.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, fields

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.draws import Ticket
from enrollment.draw.publication.result_contents import REFUSED
from enrollment.draw.run_rows import PUBLISHED_PLACEMENTS, RUNS, CutOff, Placement, Run, WishReason
from enrollment.offers import waitlist
from enrollment.offers.offer_rows import OFFERS, CentralProposal, OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.distances import minutes_on_foot
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
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
    return FamilyResult(
        **{each.name: getattr(told, each.name) for each in fields(told)},
        ticket=_ticket(session, application),
        bound_with=_bound(session, told.run, application),
        standing=code,
        wishes=_wishes(session, told.run, told.round, application_id, code in waitlist.IN_LINE),
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
    left = select(Offer).where(
        Offer.application_id == offer.application_id,
        Offer.state == OfferState.SUPERSEDED,
        Offer.ended_at == offer.made_at,
        Offer.programme_id != offer.programme_id,
    )
    before = session.scalars(left.limit(1)).first()
    proposal = session.scalars(select(CentralProposal).where(CentralProposal.offer_id == offer.id).limit(1)).first()
    return Origin(
        moved_from=session.get(Programme, before.programme_id) if before else None,
        moved_at=offer.made_at if before else None,
        central=proposal is not None,
        metres=proposal.metres if proposal else None,
    )


def _ticket(session: Session, application: Application) -> int | None:
    return session.scalar(
        select(Ticket.number).where(Ticket.child_id == application.child_id, Ticket.year == application.year)
    )


def _bound(session: Session, run: Run, application: Application) -> tuple[Application, ...]:
    """The family's children who were placed together with this one in the run: one ticket counted for all of them.

    It is read from the run, because a bond may have ended since, and one that did not count was never in the run.
    """
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


def _newest_offer(session: Session, application: Application) -> Offer | None:
    offers = OFFERS.of(session, application.id)
    return max(offers, key=lambda offer: (offer.state in LIVE, offer.made_at), default=None)


def _wishes(
    session: Session, run: Run, round_: Round, application_id: uuid.UUID, in_line: bool
) -> tuple[WishResult, ...]:
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
            in_line=_place_in_line(session, round_, row) if in_line and row.reason in REFUSED else None,
            line_outside=eligible == 0,
        )
        for row, programme, eligible in session.execute(found)
    )


def _place_in_line(session: Session, round_: Round, mine: WishReason) -> int:
    """How many who still wait for this wish stand before the family, and one."""
    live, ended = aliased(Offer), aliased(Offer)
    gave_up = select(ended.id).where(
        ended.application_id == WishReason.application_id,
        ended.round_id == round_.id,
        ended.state.in_((OfferState.DECLINED, OfferState.EXPIRED, OfferState.NO_SHOW, OfferState.REVOKED)),
    )
    holds = select(live.id).where(
        live.application_id == WishReason.application_id, live.state.in_((OfferState.CONFIRMED, OfferState.ARRIVED))
    )
    ahead = (
        select(func.count())
        .select_from(WishReason)
        .join(Application, Application.id == WishReason.application_id)
        .where(
            WishReason.run_id == mine.run_id,
            WishReason.programme_id == mine.programme_id,
            WishReason.reason.in_(REFUSED),
            tuple_(WishReason.tier, WishReason.ticket) < tuple_(mine.tier, mine.ticket),
            Application.stage.not_in(DEAD_STAGES),
            ~gave_up.exists(),
            ~holds.exists(),
        )
    )
    return 1 + (session.scalar(ahead) or 0)
