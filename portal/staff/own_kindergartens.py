"""The kindergartens of the current staff member."""

from sqlalchemy import select

from enrollment.places.kindergartens import Kindergarten
from portal.web.unit_of_work import actor, db


def own_kindergartens() -> list[Kindergarten]:
    mine = select(Kindergarten).where(Kindergarten.id.in_(actor().kindergartens))
    return list(db().scalars(mine.order_by(Kindergarten.sort_key)))
