"""The promotion of one child after that of its class: it was on the roll of another kindergarten then, by an arrival that was
undone."""

import datetime as dt

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from enrollment.ground.errors import Refused
from enrollment.places.areas import NEXT_LEVEL
from enrollment.places.class_promotion.new_classes import ENTRY_LEVELS
from enrollment.places.promotion import move_up, promoted_name
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollPromotion


def promote(session: Session, made: RollPromotion, child: RollChild, old: RollClass) -> RollChild:
    """Move a child up that was away when its class was promoted; the entry that is open or graduated then.

    Refuses `no_class_to_return_to` if no class is left into which it could.
    """
    begins = dt.date(made.from_year + 1, 9, 1)
    if NEXT_LEVEL[old.level] is None:
        move_up(session, [child.id], "graduated", None, begins, made.id)
        session.expire(child)
        return child
    there = _class_after(session, made, old)
    if there is None:
        raise Refused("no_class_to_return_to")
    move_up(session, [child.id], "promoted", there, begins, made.id)
    session.expire(child)
    of_child = select(RollChild).where(RollChild.class_id == there.id, RollChild.promotion_id == made.id)
    return session.scalars(of_child.where(RollChild.id_index == child.id_index)).one()


def _class_after(session: Session, made: RollPromotion, old: RollClass) -> RollClass | None:
    """The class into which most children of this one moved, otherwise one of its next level that the promotion made, or that
    has the name of the moved class and could be joined."""
    before, after = aliased(RollChild), aliased(RollChild)
    open_class = (RollClass.closed_on.is_(None), RollClass.kept_as == "rows")
    with_most = (
        select(RollClass)
        .join(after, after.class_id == RollClass.id)
        .join(before, before.id_index == after.id_index)
        .where(*open_class, after.promotion_id == made.id)
        .where(before.class_id == old.id, before.ending_promotion_id == made.id)
        .group_by(RollClass.id)
        .order_by(func.count().desc(), RollClass.name)
    )
    found = session.scalars(with_most.limit(1)).first()
    if found is not None:
        return found
    next_level = NEXT_LEVEL[old.level]
    by_name = RollClass.name == promoted_name(old, next_level)
    joinable = and_(
        by_name,
        RollClass.kindergarten_id == made.kindergarten_id,
        RollClass.school_year == made.from_year + 1,
        RollClass.level.not_in(ENTRY_LEVELS),
    )
    of_level = select(RollClass).where(
        *open_class, RollClass.level == next_level, or_(RollClass.promotion_id == made.id, joinable)
    )
    return session.scalars(of_level.order_by(by_name.desc(), RollClass.name).limit(1)).first()
