"""An overdue correction goes to the next office: from a kindergarten to its area, from an area to the city.

At half of the time the request stands out at the desk that decides (`request_list.past_half`).  At its end it leaves that
desk, which may read it but no longer decide; the family is told once that it is late and who decides now.  A signature that
was given stays.  While a dispute holds the application nobody can decide, so nothing is handed on; that happens when the
hold has ended.
"""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.corrections import correction_lifecycle
from enrollment.corrections.requests import notify
from enrollment.ground.accounts import SYSTEM
from enrollment.review.correction_rows import UNDECIDED, CorrectionRequest, CorrectionState

BATCH = 200


def hand_on_overdue(session: Session, *, now: dt.datetime) -> int:
    """Hand on requests whose time is over, the oldest first; how many.  A second run hands on nothing."""
    overdue = (
        select(CorrectionRequest.id)
        .join(Application, Application.id == CorrectionRequest.application_id)
        .where(
            CorrectionRequest.state.in_(UNDECIDED),
            CorrectionRequest.due_at < now,
            CorrectionRequest.escalated_at.is_(None),
            Application.on_hold.is_(False),
        )
        .order_by(CorrectionRequest.due_at, CorrectionRequest.id)
        .limit(BATCH)
    )
    return sum(_hand_on(session, request_id, now=now) for request_id in session.scalars(overdue).all())


def _hand_on(session: Session, request_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Locks as a decision does: the application, then the request.  False if somebody decided meanwhile."""
    asked = session.get_one(CorrectionRequest, request_id)
    session.get_one(Application, asked.application_id, with_for_update={"key_share": True}, populate_existing=True)
    request = session.get_one(CorrectionRequest, request_id, with_for_update=True, populate_existing=True)
    if request.state not in UNDECIDED or request.escalated_at is not None:
        return False
    move = "escalate_signed" if request.state == CorrectionState.SIGNED else "escalate"
    if request.kindergarten_id is not None and request.area_code is not None:
        request.kindergarten_id = None
    else:
        request.kindergarten_id = request.area_code = None
    request.escalated_at = now
    correction_lifecycle.make(session, request, move, by=SYSTEM, now=now)
    notify(session, "correction_late" if request.area_code else "correction_late_city", request, now=now)
    return True
