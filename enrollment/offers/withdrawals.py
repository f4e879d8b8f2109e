"""Withdrawing an application, and withdrawing the consent to store a child's data, which is never refused.

Until the deadline a withdrawal can be undone, so it takes effect at once.  Later it gives up the ticket or the place for
good (`irrevocable_acts`).  After arrival the place is kept, and the law says which data the kindergarten keeps.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications, deadlines, lifecycle, mandates, submission, units
from enrollment.applications.applications import Application, Stage
from enrollment.applications.notifications import notify_guardians
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import Refused
from enrollment.offers import irrevocable_acts
from enrollment.offers.joint_decision_rows import DecisionKind
from enrollment.offers.offer_rows import LIVE, Offer, OfferState
from enrollment.people import consents
from enrollment.season import calendar


class Effect(StrEnum):
    """What a withdrawal does to an application."""

    NOTHING = "nothing"
    UNDOABLE = "undoable"
    TICKET_GIVEN_UP = "ticket_given_up"
    PLACE_GIVEN_UP = "place_given_up"
    KEPT_AFTER_ARRIVAL = "kept_after_arrival"


@dataclass(frozen=True)
class Consequence:
    """What a page shows before a withdrawal.

    `waits_until` is None if it takes effect at once, or if a dispute keeps the application on hold: then withdrawing is
    refused, and withdrawing consent waits for the end of the dispute (`waits_for_dispute`).  `until`: when the registration
    that is open now ends, so that the application can be taken up again until then.  `again_from`: when the next registration begins, if none is open.
    """

    application: Application
    effect: Effect
    waits_until: dt.datetime | None
    waits_for_dispute: bool
    until: dt.datetime | None
    again_from: dt.datetime | None

    @property
    def stamp(self) -> str:
        """What the page promises, so that an act from an older page is shown its consequence again before it is done."""
        waits = "dispute" if self.waits_for_dispute else "others" if self.waits_until else "once"
        return f"{self.application.id}:{self.effect}:{waits}"


def stamp_of(consequences: Sequence[Consequence]) -> str:
    """The same for all children whose applications end with the consent."""
    return " ".join(sorted(each.stamp for each in consequences if each.effect != Effect.NOTHING))


def consequence(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> Consequence:
    """What a withdrawal of this application would do now."""
    offer = _live_offer(session, application.id)
    effect = _effect(session, application, offer, now)
    final = effect in (Effect.TICKET_GIVEN_UP, Effect.PLACE_GIVEN_UP)
    offers = {application.id: offer.id if offer else None}
    waits = irrevocable_acts.waits_until(session, offers, by=by, now=now) if final else None
    times = deadlines.of(session, application, now=now)
    until = times.open.closes_at if times.open and effect == Effect.UNDOABLE else None
    again_from = times.coming.opens_at if times.coming and not times.open else None
    return Consequence(
        application, effect, waits, final and irrevocable_acts.is_disputed(session, offers), until, again_from
    )


def withdraw(
    session: Session, application_id: uuid.UUID, *, seen: str | None = None, by: Actor, now: dt.datetime
) -> Effect:
    """Withdraw an application, or propose it to the other guardians.  Withdrawing twice changes nothing.

    `seen` is the `Consequence.stamp` of the page.  Refuses `withdraw_after_arrival`, `on_hold` while a dispute is open, and
    `consequence_changed` where the withdrawal would do now what the page did not say.
    """
    return _withdraw(session, application_id, seen=seen, by=by, now=now, of_consent=False)


def _withdraw(
    session: Session,
    application_id: uuid.UUID,
    *,
    seen: str | None = None,
    by: Actor,
    now: dt.datetime,
    of_consent: bool,
) -> Effect:
    require_oneself(by)
    units.lock_families(session, [application_id])
    application = applications.locked(session, application_id, by=by)
    offer = _live_offer(session, application.id, lock=True)
    effect = _effect(session, application, offer, now)
    if effect == Effect.KEPT_AFTER_ARRIVAL:
        raise Refused("withdraw_after_arrival")
    if application.on_hold and effect != Effect.NOTHING and not of_consent:
        raise Refused("on_hold")
    if seen is not None and effect != Effect.NOTHING and not _was_shown(session, application, seen, by=by, now=now):
        raise Refused("consequence_changed")
    if effect == Effect.UNDOABLE:
        submission.withdraw(session, application.id, by=by, now=now)
    elif effect != Effect.NOTHING:
        offers = {application.id: offer.id if offer else None}
        irrevocable_acts.decide(session, DecisionKind.WITHDRAW, offers, by=by, now=now, of_consent=of_consent)
    return effect


def _was_shown(session: Session, application: Application, seen: str, *, by: Actor, now: dt.datetime) -> bool:
    return consequence(session, application, by=by, now=now).stamp == seen


def withdraw_consent(session: Session, *, seen: str | None = None, by: Actor, now: dt.datetime) -> None:
    """Withdraw the consent to store a child's data, and with it every application of a current season before arrival.

    This also ends the mandates.  All guardians of the children are told.  It is never refused; what cannot be undone waits
    for the end of a dispute.  From a page that showed something else (`seen`, of `stamp_of`) it is asked for once more:
    `consequence_changed`.
    """
    require_oneself(by)
    mine = applications.list_own(session, by=by)
    units.lock_families(session, [application.id for application in mine])
    if seen is not None and seen != stamp_of([consequence(session, each, by=by, now=now) for each in mine]):
        raise Refused("consequence_changed")
    going_on = [each for each in mine if not calendar.is_over(session, each.year, now)]
    if given := consents.current_consent(session, consents.CHILD_DATA, by=by):
        ids, event = [each.id for each in going_on], f"consent_withdrawn:{given.id}"
        notify_guardians(session, "consent_withdrawn", ids, now=now, by=by, event=event)
    for application in going_on:
        if consequence(session, application, by=by, now=now).effect != Effect.KEPT_AFTER_ARRIVAL:
            _withdraw(session, application.id, by=by, now=now, of_consent=True)
    for kind in consents.KINDS:
        consents.withdraw(session, kind, by=by, now=now)
    mandates.end_all(session, by=by, now=now)


def _effect(session: Session, application: Application, offer: Offer | None, now: dt.datetime) -> Effect:
    if application.stage == Stage.REFUSED or not lifecycle.can(application, "withdraw"):
        return Effect.NOTHING
    if offer is not None:
        return Effect.KEPT_AFTER_ARRIVAL if offer.state == OfferState.ARRIVED else Effect.PLACE_GIVEN_UP
    if submission.may_be_undone(session, application, now=now):
        return Effect.UNDOABLE
    return Effect.TICKET_GIVEN_UP


def _live_offer(session: Session, application_id: uuid.UUID, *, lock: bool = False) -> Offer | None:
    found = select(Offer).where(Offer.application_id == application_id, Offer.state.in_(LIVE))
    found = found.execution_options(populate_existing=True)
    return session.scalars(found.with_for_update() if lock else found).one_or_none()
