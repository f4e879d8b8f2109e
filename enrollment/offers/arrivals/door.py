"""An offer at the door of one of the actor's kindergartens."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound
from enrollment.offers.offer_rows import Offer
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme


@dataclass(frozen=True)
class Door:
    """An offer and the programme that it is of."""

    offer: Offer
    programme: Programme

    @property
    def year(self) -> int:
        return self.programme.year

    @property
    def kindergarten_id(self) -> uuid.UUID:
        return self.programme.kindergarten_id


def lock_at_my_door(session: Session, offer_ids: Collection[uuid.UUID], *, by: Actor) -> None:
    """Lock those of these offers that are of the actor's kindergartens, in one order and before anything is written about them.

    A row that refers to an offer holds a weak lock on it.  Two tablets that first write and then ask for the strong one
    wait for each other, and so do two that ask for the same children in another order.
    """
    session.execute(
        select(Offer.id)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.id.in_(offer_ids), scope.scope_condition(by))
        .order_by(Offer.id)
        .with_for_update(of=Offer)
    ).all()


def at_my_door(session: Session, offer_id: uuid.UUID, *, by: Actor, lock: bool = False) -> Door:
    """An offer of the actor's kindergartens.  NotFound elsewhere."""
    found = (
        select(Offer, Programme)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.id == offer_id, scope.scope_condition(by))
    )
    if lock:
        found = found.with_for_update(of=Offer).execution_options(populate_existing=True)
    row = session.execute(found).one_or_none()
    if row is None:
        raise NotFound("offer")
    return Door(row.Offer, row.Programme)
