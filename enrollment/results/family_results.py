"""A family's result: where the child is placed, and for every wish the reason, with its numbers and the cut-off.

A family can check it from the published cut-offs alone: the first wish whose cut-off it meets is its place.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.draws import Ticket
from enrollment.draw.run_rows import Placement, Run, WishReason
from enrollment.offers import waitlist
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round

REFUSED = ("no_places", "not_eligible", "closed_by_unit", "tier_below_cutoff", "ticket_after_cutoff")


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

    @property
    def kindergarten(self) -> Kindergarten:
        return self.programme.kindergarten


@dataclass(frozen=True)
class FamilyResult:
    """What a published round gave one child.  `bound_with` are the children who were placed together with it; `offer` is its newest offer of any round; `standing` a code of
    `waitlist.CODES`."""

    application: Application
    round: Round
    run: Run
    ticket: int | None
    bound_with: tuple[Application, ...]
    placed: Programme | None
    rank: int | None
    offer: Offer | None
    offered_at: Programme | None
    standing: str
    wishes: tuple[WishResult, ...]

    @property
    def bound(self) -> int:
        """How many children were placed together, this one included; 1 for a child alone."""
        return 1 + len(self.bound_with)

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


def for_application(session: Session, application_id: uuid.UUID, *, now: dt.datetime) -> FamilyResult | None:
    """The newest published result of an application; None before the first."""
    found = (
        select(Placement, Run, Round)
        .join(Run, Run.id == Placement.run_id)
        .join(Round, Round.id == Run.round_id)
        .where(Placement.application_id == application_id, Run.published_at.is_not(None))
        .order_by(Round.number.desc(), Run.number.desc())
        .limit(1)
    )
    row = session.execute(found).one_or_none()
    if row is None:
        return None
    placement, run, round_ = row
    application = session.get_one(Application, application_id)
    standing = waitlist.standings(session, round_, now=now, application_id=application_id)
    code = next(iter(standing.values())).code
    offer = _newest_offer(session, application)
    programme = session.get(Programme, placement.programme_id) if placement.programme_id else None
    return FamilyResult(
        application=application,
        round=round_,
        run=run,
        ticket=_ticket(session, application),
        bound_with=_bound(session, run, application),
        placed=programme,
        rank=placement.rank,
        offer=offer,
        offered_at=session.get(Programme, offer.programme_id) if offer else None,
        standing=code,
        wishes=_wishes(session, run, round_, application_id, code in waitlist.IN_LINE),
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
    found = select(Offer).where(Offer.application_id == application.id)
    return session.scalars(found.order_by(Offer.state.in_(LIVE).desc(), Offer.made_at.desc()).limit(1)).first()


def _wishes(
    session: Session, run: Run, round_: Round, application_id: uuid.UUID, in_line: bool
) -> tuple[WishResult, ...]:
    found = (
        select(WishReason, Programme)
        .join(Programme, Programme.id == WishReason.programme_id)
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
        )
        for row, programme in session.execute(found)
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
