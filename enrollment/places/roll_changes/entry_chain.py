"""The entries of one child in its kindergarten: each class change, merge and promotion ends one and begins the next."""

import uuid

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_rows import BY_A_MOVE


def chain_of(
    session: Session, first_id: uuid.UUID, kindergarten_id: uuid.UUID, *, lock: bool = False
) -> list[RollChild]:
    """The entry with this id and those that followed it by a move in this kindergarten, the oldest first."""

    def found(entries: Select[RollChild]) -> list[RollChild]:
        locked = entries.with_for_update(of=RollChild).execution_options(populate_existing=True)
        return list(session.scalars(locked if lock else entries))

    chain = [found(select(RollChild).where(RollChild.id == first_id))[0]]
    while (child := chain[-1]).left_on is not None and child.leave_reason in BY_A_MOVE:
        next_entries = (
            select(RollChild)
            .join(RollClass, RollClass.id == RollChild.class_id)
            .where(RollClass.kindergarten_id == kindergarten_id, RollChild.entered_on == child.left_on)
            .where(RollChild.id_index.is_not_distinct_from(child.id_index))
            .where(RollChild.id.not_in([each.id for each in chain]))
        )
        if child.ending_promotion_id is not None:
            next_entries = next_entries.where(RollChild.promotion_id == child.ending_promotion_id)
        same = [each for each in found(next_entries) if (each.name, each.born) == (child.name, child.born)]
        if len(same) != 1:  # children without a number may have the same name
            break
        chain.append(same[0])
    return chain
