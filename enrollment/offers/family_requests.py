"""What a family asks of an official after the draw: an appeal against a decision, a move to another kindergarten.

Each is a case with an officer, whose name the family is told, and with a date by which it is answered.
"""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Stage
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferState
from enrollment.people.children import is_guardian_of
from enrollment.review import cases
from enrollment.review.case_rows import FAMILY_REQUESTS, Case, CaseKind

MOST_DAYS = 10


def ask(session: Session, application_id: uuid.UUID, kind: str, *, text: str, by: Actor, now: dt.datetime) -> Case:
    """Open the case, or return the one of this kind that the person has open for this application.

    Refuses `text_missing`, `text_too_long`, and what `refusal_of` says.
    """
    require_oneself(by)
    application = session.get(Application, application_id, with_for_update={"key_share": True})
    if application is None or kind not in FAMILY_REQUESTS or not is_guardian_of(session, application.child_id, by=by):
        raise NotFound("application")
    earlier = open_request(session, application_id, kind, by=by)
    if earlier is not None:
        return earlier
    refused = refusal_of(session, application, kind)
    if refused is not None:
        raise Refused(refused, field="text")
    if not text.strip():
        raise Refused("text_missing", field="text")
    if len(text) > cases.LONGEST_TEXT:
        raise Refused("text_too_long", field="text", most=cases.LONGEST_TEXT)
    case = Case(
        kind=kind, account_id=by.account_id, application_id=application_id, text=text.strip(), opened_at=now,
        due_at=cases.due_at(session, now, MOST_DAYS),
    )  # fmt: skip
    session.add(case)
    cases.begin(session, case, by=by, now=now)
    return case


def open_request(session: Session, application_id: uuid.UUID, kind: str, *, by: Actor) -> Case | None:
    """The person's open request of this kind for an application."""
    mine = select(Case).where(
        Case.application_id == application_id, Case.account_id == by.account_id, Case.settled_at.is_(None)
    )
    return next((each for each in session.scalars(mine) if each.kind == kind), None)


def refusal_of(session: Session, application: Application, kind: str) -> str | None:
    """Why this cannot be asked now, a code; None where it can.  An appeal needs a decision, a move needs a place."""
    if kind == CaseKind.APPEAL:
        return "nothing_to_appeal" if application.stage in (Stage.DRAFT, Stage.WITHDRAWN) else None
    taken = select(Offer.id).where(
        Offer.application_id == application.id, Offer.state.in_((*EXPECTED, OfferState.ARRIVED))
    )
    return None if session.scalar(taken.limit(1)) is not None else "no_place_to_change"
