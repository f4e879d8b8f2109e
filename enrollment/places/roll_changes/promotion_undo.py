"""A promotion is taken back as a whole within seven days: exactly what it wrote, while nobody has built on it."""

import datetime as dt
import uuid

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.places import scope
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollClassChange, RollCount, RollPromotion, RollTransfer
from enrollment.places.roll_rows import RollCorrection

UNDONE_WITHIN = dt.timedelta(days=7)


def undo(session: Session, promotion_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> RollPromotion:
    """The old classes have their children again; the new ones are gone.

    Refuses `promotion_undone`, `too_late_to_undo`, `promotion_used` with the number of entries made since.
    """
    promotion = session.get(RollPromotion, promotion_id, with_for_update=True)
    if promotion is None:
        raise NotFound
    scope.kindergarten_in_scope(session, promotion.kindergarten_id, by=by, lock=True)
    if promotion.undone_at is not None:
        raise Refused("promotion_undone")
    if now > promotion.made_at + UNDONE_WITHIN:
        raise Refused("too_late_to_undo", until=(promotion.made_at + UNDONE_WITHIN).date().isoformat())
    used = _used_since(session, promotion.id)
    if used:
        raise Refused("promotion_used", n=used)
    quietly = {"synchronize_session": False}
    session.execute(delete(RollChild).where(RollChild.promotion_id == promotion.id), execution_options=quietly)
    session.execute(delete(RollClass).where(RollClass.promotion_id == promotion.id), execution_options=quietly)
    back = update(RollChild).where(RollChild.ending_promotion_id == promotion.id)
    session.execute(back.values(left_on=None, leave_reason=None, ending_promotion_id=None), execution_options=quietly)
    promotion.undone_by, promotion.undone_at = by.account_id, now
    session.flush()
    session.expire_all()
    audit.record(
        session, "undo_promotion", "kindergarten", promotion.kindergarten_id, by=by, now=now, year=promotion.from_year
    )
    return promotion


def _used_since(session: Session, promotion_id: uuid.UUID) -> int:
    """Entries that rest on the promotion: children that left or came, corrections, transfers, new numbers, and classes that
    were renamed, merged or closed."""
    made = select(RollChild.id).where(RollChild.promotion_id == promotion_id)
    classes = select(RollClass.id).where(RollClass.promotion_id == promotion_id)
    another = or_(RollChild.promotion_id.is_(None), RollChild.promotion_id != promotion_id)
    queries = (
        select(func.count()).where(RollChild.promotion_id == promotion_id, RollChild.left_on.is_not(None)),
        select(func.count()).where(RollChild.class_id.in_(classes), another),
        select(func.count()).where(RollCorrection.roll_child_id.in_(made)),
        select(func.count()).where(RollTransfer.roll_child_id.in_(made)),
        select(func.count()).where(RollTransfer.to_class_id.in_(classes)),
        select(func.count()).where(RollClassChange.class_id.in_(classes)),
        select(func.count()).where(RollCount.class_id.in_(classes), RollCount.source != "first"),
    )
    return sum(session.scalar(query) or 0 for query in queries)
