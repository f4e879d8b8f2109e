"""Why a family does not take a proposed place: asked with its answer, never demanded, read by its officer."""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.draw.unserved.rows import LONGEST_TEXT, DeclinedProposal, DeclineReason
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused


def note(session: Session, offer_id: uuid.UUID, reason: str, text: str = "", *, by: Actor, now: dt.datetime) -> None:
    """Store the reason that a family gave for an offer.  The caller has checked that the offer is its own.

    Nothing is stored without a reason.  Refuses `text_too_long`.
    """
    if reason not in tuple(DeclineReason):
        return
    if len(text) > LONGEST_TEXT:
        raise Refused("text_too_long", field="note", most=LONGEST_TEXT)
    session.merge(
        DeclinedProposal(
            offer_id=offer_id, reason=reason, note=text.strip() or None, said_at=now, said_by=by.account_id
        )
    )
    audit.record(session, "say_why_declined", "offer", offer_id, by=by, now=now, reason=reason)
    session.flush()
