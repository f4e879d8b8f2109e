"""The entry on the roll of a child that arrived, as it is now.

`ArrivalEntry` keeps the entry that the arrival made.  A class change, a merge or a promotion ends that entry and begins
another one in the same kindergarten.  SQL finds it by the number of the child; the entries of a child without a number are
followed one by one.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, case, or_, select
from sqlalchemy.orm import Session, aliased

from enrollment.ground.city_time import today
from enrollment.offers.arrivals.rows import ArrivalEntry
from enrollment.offers.offer_rows import Offer
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_changes.entry_chain import chain_of
from enrollment.places.roll_rows import BY_A_MOVE

_FIRST = aliased(RollChild, name="first_entry")

_SAME_CHILD = or_(RollChild.id == _FIRST.id, RollChild.id_index == _FIRST.id_index)

_TOOK_PLACE = or_(_FIRST.left_on.is_(None), _FIRST.left_on > _FIRST.entered_on, _FIRST.leave_reason.in_(BY_A_MOVE))
"""An arrival that was undone leaves an entry that ends on its first day; other entries of the child do not follow from it."""

_MOVED_WITHOUT_NUMBER = and_(_FIRST.id_index.is_(None), _FIRST.leave_reason.in_(BY_A_MOVE))

ENTERED_ON = case((RollClass.id.is_not(None), RollChild.entered_on))
"""With `join_current`: when the child entered its present class."""

TO_FOLLOW = case((_MOVED_WITHOUT_NUMBER, _FIRST.id))
"""With `join_current`: the id of the first entry where `follow` must look for the present one; otherwise NULL."""


def join_current(query: Select[Any]) -> Select[Any]:
    """Outer-join `ArrivalEntry`, `RollChild` and `RollClass` to a query on `Offer` and `Programme`.

    The class is NULL unless the child is in a class of the offer's kindergarten and no end is noted.  One row for each
    offer: `uq_roll_child__on_roll_once`.
    """
    return (
        query.outerjoin(ArrivalEntry, ArrivalEntry.offer_id == Offer.id)
        .outerjoin(_FIRST, and_(_FIRST.id == ArrivalEntry.roll_child_id, _TOOK_PLACE))
        .outerjoin(RollChild, and_(_SAME_CHILD, RollChild.left_on.is_(None)))
        .outerjoin(
            RollClass,
            and_(RollClass.id == RollChild.class_id, RollClass.kindergarten_id == Programme.kindergarten_id),
        )
    )


def follow(session: Session, first_id: uuid.UUID | None) -> tuple[str, dt.date] | None:
    """The present class of a child without a number, and when it entered it; None if it is in none."""
    if first_id is None:
        return None
    last = _chain(session, first_id)[-1]
    return (session.get_one(RollClass, last.class_id).name, last.entered_on) if last.left_on is None else None


def offers_of(
    session: Session, roll_child_ids: Collection[uuid.UUID], *, now: dt.datetime
) -> dict[uuid.UUID, uuid.UUID]:
    """By entry that is not over today: the newest offer of the entry's kindergarten by which its child came.

    After a promotion in July the entry of the old class is not over until 1 September.
    """
    not_over = or_(
        RollChild.left_on.is_(None), and_(RollChild.left_on > today(now), RollChild.left_on > RollChild.entered_on)
    )
    listed = session.execute(
        select(RollChild.id, RollChild.id_index, RollClass.kindergarten_id, Offer.id.label("offer_id"), Programme.id)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .outerjoin(_FIRST, and_(_SAME_CHILD, _TOOK_PLACE))
        .outerjoin(ArrivalEntry, ArrivalEntry.roll_child_id == _FIRST.id)
        .outerjoin(Offer, Offer.id == ArrivalEntry.offer_id)
        .outerjoin(
            Programme,
            and_(Programme.id == Offer.programme_id, Programme.kindergarten_id == RollClass.kindergarten_id),
        )
        .where(RollChild.id.in_(roll_child_ids), not_over)
        .order_by(ArrivalEntry.at)
    ).all()
    found = {entry: offer for entry, _index, _place, offer, programme in listed if programme is not None}
    unknown = {entry: place for entry, index, place, *_ in listed if index is None and entry not in found}
    return found | (_offers_without_number(session, unknown) if unknown else {})


def entry_ids(session: Session, application_id: uuid.UUID) -> list[uuid.UUID]:
    """All entries of the child of an application since it arrived by it, in the kindergarten of the offer."""
    rows = session.execute(
        select(RollChild.id, _FIRST.id.label("first_id"), _MOVED_WITHOUT_NUMBER)
        .select_from(Offer)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(ArrivalEntry, ArrivalEntry.offer_id == Offer.id)
        .join(_FIRST, _FIRST.id == ArrivalEntry.roll_child_id)
        .join(RollChild, and_(_SAME_CHILD, RollChild.entered_on >= _FIRST.entered_on))
        .join(RollClass, RollClass.id == RollChild.class_id)
        .where(Offer.application_id == application_id, RollClass.kindergarten_id == Programme.kindergarten_id)
        .order_by(RollChild.entered_on, RollChild.id)
    ).all()
    found = [entry for entry, _first, _moved in rows]
    for _entry, first, moved in rows:
        if moved:
            found += [each.id for each in _chain(session, first)]
    return list(dict.fromkeys(found))


def _offers_without_number(session: Session, kindergarten_of: dict[uuid.UUID, uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    arrived = session.execute(
        select(_FIRST.id, ArrivalEntry.offer_id)
        .join(RollClass, RollClass.id == _FIRST.class_id)
        .join(ArrivalEntry, ArrivalEntry.roll_child_id == _FIRST.id)
        .where(RollClass.kindergarten_id.in_(set(kindergarten_of.values())), _MOVED_WITHOUT_NUMBER)
        .order_by(ArrivalEntry.at)
    ).all()
    offers = {each.id: offer for first, offer in arrived for each in _chain(session, first)}
    return {entry: offers[entry] for entry in kindergarten_of if entry in offers}


def _chain(session: Session, first_id: uuid.UUID) -> list[RollChild]:
    first = session.get_one(RollChild, first_id)
    return chain_of(session, first_id, session.get_one(RollClass, first.class_id).kindergarten_id)
