"""A new code for the admission notice of a child whose identity was corrected.

The notice with the old code shows data that are no longer correct, so a check of the old code shows that it was replaced,
and when.
"""

import datetime as dt
import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.random_codes import notice_code
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferState, ReplacedNotice

WITH_A_NOTICE = (*EXPECTED, OfferState.ARRIVED)


def replace(session: Session, child_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Give every notice of the child, of any season, a new code.  The caller holds the child's lock."""
    found = select(Offer).where(Offer.child_id == child_id, Offer.state.in_(WITH_A_NOTICE)).order_by(Offer.id)
    for offer in session.scalars(found.with_for_update().execution_options(populate_existing=True)):
        session.add(ReplacedNotice(code=offer.notice_code, offer_id=offer.id, replaced_at=now))
        offer.notice_code = notice_code()
        audit.record(session, "replace_notice", "offer", offer.id, by=by, now=now)
    session.flush()


def were_replaced(session: Session, child_id: uuid.UUID, *, at: dt.datetime) -> bool:
    """Whether a notice of the child got a new code at this moment, by a correction that took effect then."""
    found = (
        select(ReplacedNotice.code)
        .join(Offer, Offer.id == ReplacedNotice.offer_id)
        .where(Offer.child_id == child_id, ReplacedNotice.replaced_at == at)
    )
    return session.scalar(found.limit(1)) is not None


def last_replaced(session: Session, offer_id: uuid.UUID) -> dt.datetime | None:
    """When the notice of this offer got its present code; None if it has its first."""
    return session.scalar(select(func.max(ReplacedNotice.replaced_at)).where(ReplacedNotice.offer_id == offer_id))


def replaced_notice(session: Session, code: str) -> ReplacedNotice | None:
    """The replaced notice that had this code."""
    return session.get(ReplacedNotice, code)
