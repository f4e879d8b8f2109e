"""Children who do not come: tries to reach the family, and the places of all of them released in one act.

A place is released after the last day on which its child is expected, and only if somebody tried to reach the family; or
at once, if the family says that the child will not come.  A try counts while the child has been expected without a break:
after an absence or an arrival that is undone, or an answer of the family, the next one is needed.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import offer_lifecycle
from enrollment.offers.arrivals import days
from enrollment.offers.arrivals.children import ArrivingChild, Group, children
from enrollment.offers.arrivals.door import Door, at_my_door
from enrollment.offers.arrivals.rows import CONTACT_WAYS, ArrivalContact, ContactOutcome
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferMove

FAMILY_SAID, DID_NOT_COME = "family_said", "did_not_come"
"""Why a place was released."""


@dataclass(frozen=True)
class AbsentChild:
    """A child that has not come.  `contacts` are all tries, the oldest first; `obstacle` is the code of what has to happen
    before its place can be released."""

    child: ArrivingChild
    due: dt.datetime
    contacts: Sequence[ArrivalContact]
    obstacle: str | None


@dataclass(frozen=True)
class Released:
    """The result for one child of the act; `refusal` is None if its place was released."""

    offer_id: uuid.UUID
    registration_code: str
    refusal: str | None


def record_contact(
    session: Session, offer_id: uuid.UUID, way: str, outcome: str, *, by: Actor, now: dt.datetime
) -> ArrivalContact:
    """Record a try to reach the family.  Refuses `contact_way_missing`, `contact_outcome_missing`, `offer_not_confirmed`."""
    door = at_my_door(session, offer_id, by=by)
    if way not in CONTACT_WAYS:
        raise Refused("contact_way_missing", field="way")
    if outcome not in tuple(ContactOutcome):
        raise Refused("contact_outcome_missing", field="outcome")
    if door.offer.state not in EXPECTED:
        raise Refused("offer_not_confirmed", state=door.offer.state)
    contact = ArrivalContact(offer_id=offer_id, way=way, outcome=outcome, account_id=by.account_id, at=now)
    session.add(contact)
    session.flush()
    audit.record(session, "contact_arriving", "offer", offer_id, by=by, now=now, way=way, outcome=outcome)
    return contact


def absent(session: Session, year: int, *, by: Actor, now: dt.datetime) -> list[AbsentChild]:
    """The children who are still expected: those whose place can be released first, then by the day until they are expected."""
    waiting = children(session, year, Group.EXPECTED, by=by)
    contacts = _contacts(session, [each.offer_id for each in waiting])
    offers = session.scalars(select(Offer).where(Offer.id.in_(contacts))).all()
    due = {offer.id: days.due_at(session, offer) for offer in offers}
    counting = _counting(session, contacts)
    listed = [
        AbsentChild(
            each, due[each.offer_id], contacts[each.offer_id],
            _obstacle(counting[each.offer_id], due[each.offer_id], now),
        )
        for each in waiting
    ]  # fmt: skip
    return sorted(listed, key=lambda one: (one.obstacle is not None, one.due, one.child.registration_code))


def _contacts(session: Session, offer_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[ArrivalContact]]:
    """The tries for each of these offers, the oldest first."""
    found: dict[uuid.UUID, list[ArrivalContact]] = {offer_id: [] for offer_id in offer_ids}
    tries = select(ArrivalContact).where(ArrivalContact.offer_id.in_(offer_ids))
    for contact in session.scalars(tries.order_by(ArrivalContact.at, ArrivalContact.id)):
        found[contact.offer_id].append(contact)
    return found


def _counting(
    session: Session, contacts: Mapping[uuid.UUID, Sequence[ArrivalContact]]
) -> dict[uuid.UUID, list[ArrivalContact]]:
    """Those of the tries that were made since the child is expected."""
    moves = select(OfferMove.offer_id, func.max(OfferMove.at))
    expected = moves.where(OfferMove.offer_id.in_(contacts), OfferMove.after.in_(EXPECTED))
    since = {offer_id: at for offer_id, at in session.execute(expected.group_by(OfferMove.offer_id))}
    return {key: [one for one in tries if key not in since or one.at >= since[key]] for key, tries in contacts.items()}


def _says_not_coming(contacts: Sequence[ArrivalContact]) -> bool:
    return bool(contacts) and contacts[-1].outcome == ContactOutcome.NOT_COMING


def _obstacle(contacts: Sequence[ArrivalContact], due: dt.datetime, now: dt.datetime) -> str | None:
    if _says_not_coming(contacts):
        return None
    if now < due:
        return "still_expected"
    return None if contacts else "contact_first"


def release(session: Session, offer_ids: Sequence[uuid.UUID], *, by: Actor, now: dt.datetime) -> list[Released]:
    """Release the places of these children in one act.  What cannot be released stays, with its reason.

    Refuses `nobody_chosen`, and NotFound for a child of another kindergarten.
    """
    if not offer_ids:
        raise Refused("nobody_chosen", field="offers")
    return [_release_one(session, offer_id, by=by, now=now) for offer_id in sorted(set(offer_ids), key=str)]


def _release_one(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Released:
    door = at_my_door(session, offer_id, by=by, lock=True)
    code = session.get_one(Application, door.offer.application_id).registration_code or ""
    contacts = _counting(session, _contacts(session, [offer_id]))[offer_id]
    try:
        with session.begin_nested():
            _refuse_obstacle(session, door, contacts, now=now)
            reason = FAMILY_SAID if _says_not_coming(contacts) else DID_NOT_COME
            mark_no_show(session, offer_id, reason=reason, by=by, now=now)
    except Refused as refused:
        return Released(offer_id, code, refused.code)
    return Released(offer_id, code, None)


def _refuse_obstacle(session: Session, door: Door, contacts: Sequence[ArrivalContact], *, now: dt.datetime) -> None:
    if door.offer.state not in EXPECTED:
        raise Refused("offer_not_confirmed", state=door.offer.state)
    if not _says_not_coming(contacts):
        days.refuse_too_early(session, door.year, now=now)
    obstacle = _obstacle(contacts, days.due_at(session, door.offer), now)
    if obstacle:
        raise Refused(obstacle)


def mark_no_show(session: Session, offer_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Offer:
    """The move itself: the place is free for the next in line.  Refuses `offer_not_confirmed`, `say_why`."""
    door = at_my_door(session, offer_id, by=by, lock=True)
    if door.offer.state not in EXPECTED:
        raise Refused("offer_not_confirmed", state=door.offer.state)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    number = offer_lifecycle.make(session, door.offer, "mark_no_show", by=by, now=now, reason=reason.strip())
    event = f"no_show:{number}"
    notify_guardians(session, "marked_no_show", [door.offer.application_id], now=now, by=by, event=event)
    return door.offer


def one_absent(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> AbsentChild:
    """One child that is still expected at the actor's kindergarten.  NotFound for any other."""
    door = at_my_door(session, offer_id, by=by)
    found = children(session, door.year, Group.EXPECTED, by=by, offer_ids=[offer_id])
    if not found:
        raise NotFound("offer")
    contacts, due = _contacts(session, [offer_id]), days.due_at(session, door.offer)
    obstacle = _obstacle(_counting(session, contacts)[offer_id], due, now)
    return AbsentChild(found[0], due, contacts[offer_id], obstacle)
