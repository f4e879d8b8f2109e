"""Whether a replay is due: a place was given up since the last run, and somebody on the waiting list was refused there."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.draw.run_rows import Run, WishReason
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.places.programmes import Programme

GIVEN_UP = (OfferState.DECLINED, OfferState.EXPIRED, OfferState.NO_SHOW, OfferState.REVOKED)
BY_THE_LINE = ("no_places", "tier_below_cutoff", "ticket_after_cutoff")
"""Reasons of refusal that a free place can change."""


def replay_is_due(session: Session, run: Run, *, now: dt.datetime) -> bool:
    """A quick check for a page; the replay itself reads the whole market.  False while families of a first run may answer."""
    if run.replays is None and _somebody_may_answer(session, run.round_id, now):
        return False
    own, held = aliased(Offer), aliased(Offer)
    gave_up = select(own.id).where(
        own.application_id == WishReason.application_id, own.round_id == run.round_id, own.state.in_(GIVEN_UP)
    )
    settled = select(held.id).where(
        held.application_id == WishReason.application_id, held.state.in_((OfferState.CONFIRMED, OfferState.ARRIVED))
    )
    found = (
        select(Offer.id)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(WishReason, (WishReason.programme_id == Programme.id) & (WishReason.run_id == run.id))
        .join(Application, Application.id == WishReason.application_id)
        .where(
            Offer.state.in_(GIVEN_UP),
            Offer.ended_at >= run.started_at,
            Programme.taken < Programme.places,
            WishReason.reason.in_(BY_THE_LINE),
            Application.stage.not_in(DEAD_STAGES),
            ~gave_up.exists(),
            ~settled.exists(),
        )
    )
    return session.scalar(found.limit(1)) is not None


def _somebody_may_answer(session: Session, round_id: uuid.UUID, now: dt.datetime) -> bool:
    in_time = select(Offer.id).where(
        Offer.round_id == round_id, Offer.state == OfferState.OFFERED, Offer.answer_by > now
    )
    return session.scalar(in_time.limit(1)) is not None
