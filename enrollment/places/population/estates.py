"""The new housing estates on file, for the pages that show what a forecast counts."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.places.population.rows import Estate


def of_area(session: Session, area: str, first: int, last: int) -> Sequence[Estate]:
    """The estates of an area whose families are there for the first time in a September of these years, the newest last."""
    found = select(Estate).where(Estate.area_code == area, Estate.first_september.between(first, last))
    return session.scalars(found.order_by(Estate.first_september, Estate.name)).all()


def by_september(session: Session, first: int, last: int) -> list[tuple[int, int, int, int]]:
    """Of the whole city: year, estates, dwellings, and the children whom they bring."""
    brought = func.sum(Estate.dwellings * Estate.per_hundred // 100)
    found = (
        select(Estate.first_september, func.count(), func.sum(Estate.dwellings), brought)
        .where(Estate.first_september.between(first, last))
        .group_by(Estate.first_september)
        .order_by(Estate.first_september)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(found)]
