"""Offers of families without a mobile phone: answers at a desk, and the record that a desk has contacted a family.

An offer expires only after a reminder.  A family that cannot get text messages is reminded by its desk, which records
the contact; until then its offer does not expire.
"""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import desk_access
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, actor_of
from enrollment.ground.errors import Refused
from enrollment.offers import joint_decisions, offers
from enrollment.offers.offer_rows import ANSWERABLE, Offer
from enrollment.people.desk_rows import DeskContact
from enrollment.people.guardians import without_phone

CONTACT_WAYS = ("call", "letter", "visit")


class DeskAnswer(StrEnum):
    CONFIRM = "confirm"
    CONFIRM_AND_WAIT = "confirm_and_wait"
    DECLINE = "decline"


def live_offer(session: Session, application: Application) -> Offer | None:
    """The offer of this application that can be answered."""
    found = select(Offer).where(Offer.application_id == application.id, Offer.state.in_(ANSWERABLE))
    return session.scalars(found.order_by(Offer.made_at.desc())).first()


def answer(
    session: Session,
    application_id: uuid.UUID,
    account_id: uuid.UUID,
    what: str,
    *,
    seen: str,
    by: Actor,
    now: dt.datetime,
) -> Offer:
    """Record the answer of a guardian at the desk.  The guardian decides; the clerk has done the identity check.

    `seen` is the state of the offer that the page showed (`joint_decisions.state_seen`): the answer is for this place alone.
    Refuses `identity_check_needed`, `answer_missing`, `place_changed`, and what the answer itself refuses.
    """
    application = desk_access.application_at_desk(session, application_id, by=by)
    account = desk_access.guardian_account(session, application, account_id)
    check = desk_access.require_check(session, application_id, account_id, by=by, now=now)
    if what not in tuple(DeskAnswer):
        raise Refused("answer_missing", field="answer")
    offer = live_offer(session, application)
    if offer is None or seen != joint_decisions.state_seen(session, offer):
        raise Refused("place_changed")
    guardian = actor_of(account)
    if what == DeskAnswer.DECLINE:
        answered = offers.decline(session, offer.id, by=guardian, now=now)
    else:
        answered = offers.confirm(session, offer.id, wait=what == DeskAnswer.CONFIRM_AND_WAIT, by=guardian, now=now)
    audit.record(
        session, "answer_at_desk", "offer", answered.id, by=by, now=now, answer=what, check=str(check.id),
        guardian=str(account_id),
    )  # fmt: skip
    return answered


def has_no_phone() -> ColumnElement[bool]:
    """SQL condition: no accepted guardian of the child of the enclosing query's `Offer` can get a text message."""
    return without_phone(Offer.child_id)


def was_contacted() -> ColumnElement[bool]:
    """SQL condition: a desk has contacted the family of the enclosing query's `Offer` since the offer was made."""
    contact = select(DeskContact.id).where(
        DeskContact.application_id == Offer.application_id, DeskContact.reached_at >= Offer.made_at
    )
    return contact.exists()


def record_contact(
    session: Session, application_id: uuid.UUID, way: str, *, by: Actor, now: dt.datetime
) -> DeskContact:
    """Record that the desk has contacted the family.  Refuses `contact_way_missing`."""
    application = desk_access.application_at_desk(session, application_id, by=by)
    if way not in CONTACT_WAYS:
        raise Refused("contact_way_missing", field="way")
    contact = DeskContact(application_id=application.id, way=way, reached_by=by.account_id, reached_at=now)
    session.add(contact)
    session.flush()
    audit.record(session, "contact_family", "application", application.id, by=by, now=now, way=way)
    return contact
