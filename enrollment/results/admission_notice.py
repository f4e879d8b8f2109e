"""The admission notice 录取通知书: its content, and whether the notice with a given code is still valid."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications
from enrollment.applications.applications import Application
from enrollment.draw.run_rows import Placement
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import notice_codes
from enrollment.offers.arrivals import days
from enrollment.offers.arrivals.days import Arrival
from enrollment.offers.offer_rows import OfferState, ReplacedNotice
from enrollment.offers.offers import Offer
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme

ADMITTED = (OfferState.CONFIRMED, OfferState.CONFIRMED_WAITING, OfferState.ARRIVED)
"""States of an offer that has a notice."""


@dataclass(frozen=True)
class Admission:
    """The content of a notice.  `arrival` is when the kindergarten expects the child, if the calendar has that date.

    `issued_at` is when its code was given: with the offer, or by the correction that replaced an earlier notice.  The notice
    says that day, so that it reads the same on whichever day it is fetched.
    """

    code: str
    child_name: str
    registration_code: str
    kindergarten: Kindergarten
    level: str
    year: int
    issued_at: dt.datetime
    arrival: Arrival | None


@dataclass(frozen=True)
class NoticeCheck:
    """What anybody who has the paper may read.  `state` is valid, replaced, superseded, revoked, ended or not_confirmed.

    The page masks the child's name; only a valid notice has it.  One that a correction replaced has the day, and nothing of
    what the new one says.
    """

    state: str
    kindergarten: str
    level: str
    year: int
    since: dt.datetime | None
    child_name: str | None


def of_application(session: Session, application_id: uuid.UUID, *, by: Actor) -> Admission:
    """The notice of an own child.  NotFound for another family's; refuses `no_notice_yet` before a place is confirmed."""
    application = applications.own(session, application_id, by=by)
    offer = _admitting_offer(session, application)
    if offer is None:
        raise Refused("no_notice_yet")
    return _admission(session, application, offer)


def of_run(
    session: Session, run_id: uuid.UUID, *, after: uuid.UUID | None, limit: int
) -> tuple[list[tuple[uuid.UUID, Admission]], uuid.UUID | None]:
    """The notices of the next `limit` children of a run by application id, those of offers that wait for an answer among them.

    Returns (application id, notice) of each, and the last child looked at: None when there are no more.  It is for drawing
    ahead; a family reads its notice through `of_application`.
    """
    looked_at = select(Placement.application_id).where(Placement.run_id == run_id)
    if after is not None:
        looked_at = looked_at.where(Placement.application_id > after)
    ids = session.scalars(looked_at.order_by(Placement.application_id).limit(limit)).all()
    found = (
        select(Application, Offer)
        .join(Offer, Offer.application_id == Application.id)
        .where(Application.id.in_(ids), Offer.run_id == run_id, Offer.state.in_((*ADMITTED, OfferState.OFFERED)))
        .order_by(Application.id)
    )
    notices = [(row.Application.id, _admission(session, row.Application, row.Offer)) for row in session.execute(found)]
    return notices, ids[-1] if ids else None


def of_confirmed(session: Session, application_id: uuid.UUID) -> Admission | None:
    """The notice of an application whose place is confirmed.  The caller has checked access to the application."""
    application = session.get(Application, application_id)
    offer = _admitting_offer(session, application) if application is not None else None
    return _admission(session, application, offer) if application is not None and offer is not None else None


def exists(session: Session, application: Application) -> bool:
    """Whether the application has a notice now.  The caller has checked access to the application."""
    return _admitting_offer(session, application) is not None


def _admitting_offer(session: Session, application: Application) -> Offer | None:
    """The newest offer of the application that has a notice."""
    found = select(Offer).where(Offer.application_id == application.id, Offer.state.in_(ADMITTED))
    return session.scalars(found.order_by(Offer.made_at.desc()).limit(1)).first()


def _admission(session: Session, application: Application, offer: Offer) -> Admission:
    programme = session.get_one(Programme, offer.programme_id)
    return Admission(
        code=offer.notice_code,
        child_name=session.get_one(Child, offer.child_id).name,
        registration_code=application.registration_code or "",
        kindergarten=programme.kindergarten,
        level=programme.level,
        year=programme.year,
        issued_at=notice_codes.last_replaced(session, offer.id) or offer.made_at,
        arrival=days.arrival_of(session, offer),
    )


def check(session: Session, code: str) -> NoticeCheck:
    """The notice with this code.  Raises NotFound if no notice ever had it."""
    replaced = notice_codes.replaced_notice(session, normal(code))
    if replaced is not None:
        return _replaced(session, replaced)
    found = session.execute(
        select(Offer, Programme, Child.name.label("child_name"))
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Child, Child.id == Offer.child_id)
        .where(Offer.notice_code == normal(code))
    ).one_or_none()
    if found is None:
        raise NotFound("notice")
    offer, programme, child_name = found
    state = _state(offer)
    return NoticeCheck(
        state=state,
        kindergarten=programme.kindergarten.name,
        level=programme.level,
        year=programme.year,
        since=offer.answered_at if state == "valid" else offer.ended_at,
        child_name=child_name if state == "valid" else None,
    )


def _replaced(session: Session, replaced: ReplacedNotice) -> NoticeCheck:
    offer = session.get_one(Offer, replaced.offer_id)
    programme = session.get_one(Programme, offer.programme_id)
    return NoticeCheck(
        state="replaced",
        kindergarten=programme.kindergarten.name,
        level=programme.level,
        year=programme.year,
        since=replaced.replaced_at,
        child_name=None,
    )


def normal(code: str) -> str:
    """The code without spaces and dashes, in capital letters, as it is stored."""
    return "".join(character for character in code.upper() if character.isalnum())[:40]


def _state(offer: Offer) -> str:
    if offer.state in ADMITTED:
        return "valid"
    if offer.state in (OfferState.SUPERSEDED, OfferState.REVOKED):
        return offer.state
    return "not_confirmed" if offer.state == OfferState.OFFERED else "ended"
