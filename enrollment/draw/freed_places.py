"""Places that were given up: whether a replay is due, and who can have such a place back before it goes on.

A replay is due if a place was given up since the last run, and somebody on the waiting list was refused there.

A family that gave its place up by mistake can take that back until its answer is due, and a kindergarten can undo a
no-show, both only while nobody else has been given the place and no run that counts it as free is under way.
"""

import datetime as dt
import uuid

from sqlalchemy import and_, literal, or_, select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle, units
from enrollment.applications.applications import Application
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.notifications import notify_guardians
from enrollment.draw import draw_jobs
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Run, RunState, WishReason
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import irrevocable_acts, line_membership, offer_lifecycle, waitlist
from enrollment.offers.offer_rows import LIVE, OfferState
from enrollment.offers.offers import Offer
from enrollment.people.children import is_guardian_of
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten, admits_in
from enrollment.places.programmes import Programme
from enrollment.season.round_rows import Round, RoundStage

GIVEN_UP = (OfferState.DECLINED, OfferState.EXPIRED, OfferState.NO_SHOW, OfferState.REVOKED)
BY_THE_LINE = ("no_places", "tier_below_cutoff", "ticket_after_cutoff")
"""Reasons of refusal that a free place can change."""


UNDER_WAY = (RunState.WAITING, RunState.RUNNING, RunState.CHECKED, RunState.SIGNED)
BEFORE_PUBLICATION = (RoundStage.FROZEN, RoundStage.DRAWN)


def replay_is_due(session: Session, run: Run, *, now: dt.datetime) -> bool:
    """A quick check for a page; the replay itself reads the whole market.  False while families of a first run may answer."""
    if run.replays is None and _somebody_may_answer(session, run.round_id, now):
        return False
    year = session.get_one(Round, run.round_id).year
    if now >= waitlist.place_ends_at(session, year):
        return False
    better = literal(waitlist.may_get_better(session, year, now=now))
    found = (
        select(Offer.id)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .join(WishReason, (WishReason.programme_id == Programme.id) & (WishReason.run_id == run.id))
        .join(Application, Application.id == WishReason.application_id)
        .join(Round, Round.id == run.round_id)
        .where(
            Offer.state.in_(GIVEN_UP),
            Offer.ended_at >= run.started_at,
            Programme.taken < Programme.places,
            admits_in(Programme.year),
            WishReason.reason.in_(BY_THE_LINE),
            line_membership.in_line(Application, Round, better, WishReason.rank),
        )
    )
    return session.scalar(found.limit(1)) is not None


def _somebody_may_answer(session: Session, round_id: uuid.UUID, now: dt.datetime) -> bool:
    in_time = select(Offer.id).where(
        Offer.round_id == round_id, Offer.state == OfferState.OFFERED, Offer.answer_by > now
    )
    return session.scalar(in_time.limit(1)) is not None


def may_take_back(session: Session, offer: Offer, *, now: dt.datetime) -> bool:
    """Whether the family can take back that it gave this place up."""
    return offer.state == OfferState.DECLINED and now < offer.answer_by and is_still_free(session, offer)


def is_still_free(session: Session, offer: Offer) -> bool:
    """Whether the place of this ended offer can be had back: the child has no other place, nobody else was given this one,
    the kindergarten does not close, and no list that counts it as free has been frozen for a result that is still to come."""
    application = session.get_one(Application, offer.application_id)
    other = select(Offer.id).where(Offer.child_id == offer.child_id, Offer.year == offer.year, Offer.state.in_(LIVE))
    programme = session.get_one(Programme, offer.programme_id, populate_existing=True)
    return (
        not lifecycle.withdrew_since(session, application, offer.made_at)
        and not application.on_hold
        and programme.taken < programme.places + programme.overhang
        and programme.kindergarten.admits_in(programme.year)
        and session.scalar(other.limit(1)) is None
        and not _is_being_given_on(session, offer)
    )


def _is_being_given_on(session: Session, offer: Offer) -> bool:
    found = (
        select(Snapshot.id)
        .join(Round, Round.id == Snapshot.round_id)
        .outerjoin(Run, and_(Run.snapshot_id == Snapshot.id, Run.state.in_(UNDER_WAY)))
        .where(
            Round.year == offer.year,
            Snapshot.replaced_at.is_(None),
            Snapshot.made_at >= offer.ended_at,
            or_(Run.id.is_not(None), Round.stage.in_(BEFORE_PUBLICATION)),
        )
    )
    return session.scalar(found.limit(1)) is not None


def take_back(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Offer:
    """Confirm a place that the family gave up, for the bound children whose places it gave up with it.

    A withdrawal that waits ends as it does when a place is confirmed: the actor's own is taken back, another guardian's is
    objected to.  Refuses `application_is_over`, `offer_is_over`, `answer_too_late` after the answer was due,
    `place_went_on`, and `on_hold` during a dispute.
    """
    require_oneself(by)
    asked = session.get(Offer, offer_id)
    if asked is None or not is_guardian_of(session, asked.child_id, by=by):
        raise NotFound
    draw_jobs.lock_round(session, asked.round_id)
    units.lock_families(session, [asked.application_id])
    application = session.get_one(Application, asked.application_id, populate_existing=True)
    members = units.in_care(session, bond_rules.concerned(session, application, BondEvent.CONFIRM), by=by)
    together = and_(
        Offer.application_id.in_([member.id for member in members]),
        Offer.programme_id == asked.programme_id,
        Offer.state == OfferState.DECLINED,
        Offer.ended_at == asked.ended_at,
    )
    found = select(Offer).where(or_(Offer.id == offer_id, together)).order_by(Offer.id).with_for_update()
    offers = session.scalars(found.execution_options(populate_existing=True)).all()
    for each in offers:
        if each.state != OfferState.DECLINED:
            raise Refused("offer_is_over", state=each.state)
        if now >= each.answer_by:
            raise Refused("answer_too_late", due=each.answer_by)
        applied = session.get_one(Application, each.application_id)
        if lifecycle.withdrew_since(session, applied, each.made_at):
            raise Refused("application_is_over")
        if applied.on_hold:
            raise Refused("on_hold")
        if not is_still_free(session, each):
            raise Refused("place_went_on")
    # of two children for one free place, this refuses the second
    irrevocable_acts.answer(session, "take_back", offers, by=by, now=now)
    irrevocable_acts.stop(session, [each.application_id for each in offers], by=by, now=now)
    return asked


def undo_no_show(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Offer:
    """Give a child that was recorded as not arrived its place back, and its place in line where it waited for a better one.

    Refuses `offer_is_over`, `place_went_on`."""
    here = (
        select(Offer)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.id == offer_id, scope.scope_condition(by))
    )
    asked = session.scalars(here).one_or_none()
    if asked is None:
        raise NotFound("offer")
    draw_jobs.lock_round(session, asked.round_id)
    offer = session.scalars(here.with_for_update(of=Offer).execution_options(populate_existing=True)).one()
    if offer.state != OfferState.NO_SHOW:
        raise Refused("offer_is_over", state=offer.state)
    if not is_still_free(session, offer):
        raise Refused("place_went_on")
    waited = offer_lifecycle.state_before(session, offer.id, OfferState.NO_SHOW) == OfferState.CONFIRMED_WAITING
    move = "undo_no_show_and_wait" if waited else "undo_no_show"
    number = offer_lifecycle.make(session, offer, move, by=by, now=now)
    event = f"no_show_undone:{number}"
    notify_guardians(session, "no_show_undone", [offer.application_id], now=now, by=by, event=event)
    return offer
