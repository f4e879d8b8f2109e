"""The entries of one child in its kindergarten: each class change, merge and promotion ends one and begins the next."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, or_, select
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


def entered_kindergarten_on(
    session: Session, children: Sequence[RollChild], kindergarten_id: uuid.UUID
) -> dict[uuid.UUID, dt.date]:
    """By entry: the day on which its child entered this kindergarten, before any class change, merge or promotion."""
    indexes = {child.id_index for child in children if child.id_index is not None}
    same: ColumnElement[bool] = RollChild.id_index.in_(indexes)
    if any(child.id_index is None for child in children):
        same = or_(same, RollChild.id_index.is_(None))
    moved = (
        select(RollChild)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(RollClass.kindergarten_id == kindergarten_id, RollChild.leave_reason.in_(BY_A_MOVE), same)
    )
    ended = list(session.scalars(moved)) if children else []
    found = {}
    for child in children:
        first, seen = child, {child.id}
        while True:
            before = [
                each for each in ended
                if each.id not in seen and each.left_on == first.entered_on and each.id_index == first.id_index
                and (each.id_index is not None or (each.name, each.born) == (first.name, first.born))
            ]  # fmt: skip
            if len(before) != 1:  # children without a number may have the same name
                break
            first = before[0]
            seen.add(first.id)
        found[child.id] = first.entered_on
    return found
