"""Revoking an offer 撤销录取: only for proven false information, and by two different officials."""

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Actor, Office, Role
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.random_codes import typed_registration_code
from enrollment.ground.signatures import Proposed, Signature
from enrollment.offers import offer_lifecycle
from enrollment.offers.offer_rows import LIVE, Offer
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme

SUBJECT = "revoke_offer"
DECIDERS = (Role.AREA_OFFICIAL, Role.CITY_OFFICIAL)
LONGEST_REASON = 500

OFFICE = Office(area=Kindergarten.area_code)
"""In a statement with the place's kindergarten: officials of its area, and of the city."""


@dataclass(frozen=True)
class Revocable:
    """A live offer as an official sees it: codes, no names.  `proposed` has the first signature and its reason, if any."""

    offer: Offer
    registration_code: str
    kindergarten: str
    area_code: str
    level: str
    year: int
    proposed: Proposed | None


def _live(by: Actor):
    """The query of live offers of places in the official's areas."""
    return (
        select(
            Offer,
            Application.registration_code,
            Kindergarten.name,
            Kindergarten.area_code,
            Programme.level,
            Programme.year,
        )
        .join(Application, Application.id == Offer.application_id)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.state.in_(LIVE), scope.scope_condition(by))
    )


def waiting(session: Session, *, by: Actor) -> list[Revocable]:
    """Offers that one person has signed to revoke, the oldest first, each once."""
    found = _live(by).join(Signature, (Signature.subject == SUBJECT) & (Signature.subject_id == Offer.id))
    found = found.where(signatures.waits(OFFICE)).order_by(Signature.signed_at)
    once = {row.Offer.id: row for row in session.execute(found)}
    return [_revocable(session, row) for row in once.values()]


def find_code(session: Session, code: str, *, by: Actor) -> list[Revocable]:
    """The live offers of a registration code."""
    found = _live(by).where(Application.registration_code == typed_registration_code(code))
    return [_revocable(session, row) for row in session.execute(found)]


def find(session: Session, offer_id: uuid.UUID, *, by: Actor) -> Revocable:
    """A live offer within the official's areas.  NotFound elsewhere, and if the offer is no longer live."""
    row = session.execute(_live(by).where(Offer.id == offer_id)).one_or_none()
    if row is None:
        raise NotFound("offer")
    return _revocable(session, row)


def _revocable(session: Session, row: Row) -> Revocable:
    offer, code, kindergarten, area, level, year = row
    return Revocable(offer, code or "", kindergarten, area, level, year, _proposed(session, offer, area))


def _proposed(session: Session, offer: Offer, area: str) -> Proposed | None:
    signed = signatures.signatures_of(session, SUBJECT, offer.id, _digest(offer), office=Office(area=area))
    if not signed:
        return None
    said = select(AuditEntry.reason).where(
        AuditEntry.subject == "offer", AuditEntry.subject_id == str(offer.id), AuditEntry.act == "propose_revoke"
    )
    reason = session.scalar(said.order_by(AuditEntry.number.desc()).limit(1)) or ""
    return signatures.proposed_by(session, signed[0], reason=reason)


def _digest(offer: Offer) -> str:
    return hashlib.sha256(f"falsehood {offer.id}".encode()).hexdigest()


def revoke(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime, reason: str) -> bool:
    """Sign the revocation, as an official of the place's area or of the city.  The second signature ends the offer.

    Returns True if the offer ended; then the family is told, and the place goes to the next in line.  Refuses
    `offer_is_over`, `signed_already`, `say_why`.
    """
    if not by.is_any(*DECIDERS):
        raise NotFound("offer")
    here = (
        select(Offer, Kindergarten.area_code)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.id == offer_id, scope.scope_condition(by))
    )
    locked = here.with_for_update(of=Offer).execution_options(populate_existing=True)
    found = session.execute(locked).one_or_none()
    if found is None:
        raise NotFound("offer")
    offer, area = found
    if offer.state not in LIVE:
        raise Refused("offer_is_over", state=offer.state)
    why = reason.strip()[:LONGEST_REASON]
    if not why:
        raise Refused("say_why", field="reason")
    office = Office(area=area)
    if signatures.sign(session, SUBJECT, offer.id, _digest(offer), office=office, by=by, now=now) < signatures.NEEDED:
        audit.record(session, "propose_revoke", "offer", offer.id, by=by, now=now, reason=why)
        return False
    offer_lifecycle.make(session, offer, "revoke", by=by, now=now, reason=why)
    event = f"offer_revoked:{offer.id}"
    notify_guardians(session, "offer_revoked", [offer.application_id], now=now, by=by, event=event)
    return True
