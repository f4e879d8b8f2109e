"""Why a figure of a run differs from the run that it is compared with: places, children, demand, or the tickets alone.

Counted from the rows of both runs; nothing is supposed.  What lies behind a count (a class that was closed, a correction) is
written by who signs.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.draw.run_rows import CutOff, Run, WishReason
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme

FEWEST_WISHES = 10
"""A kindergarten with fewer first wishes in either run is not named."""


@dataclass(frozen=True)
class Demand:
    """The kindergarten whose first wishes changed most: how many in the run before and in this one."""

    kindergarten: str
    before: int
    now: int


@dataclass(frozen=True)
class Cause:
    """What changed for the children of a figure.  Places and children are (before, now); None where they are the same or are
    not counted for this figure.

    `by_chance`: the figure before lies in the range of the dry runs, so other tickets alone can make the difference.
    `unusual`: this run's figure lies far outside that range.
    """

    places: tuple[int, int] | None
    children: tuple[int, int] | None
    demand: Demand | None
    by_chance: bool
    unusual: bool

    @property
    def is_found(self) -> bool:
        return bool(self.places or self.children or self.demand or self.by_chance)


@dataclass(frozen=True)
class Inputs:
    """What a run had: places and first wishes of each kindergarten, with its area and nature."""

    places: Mapping[uuid.UUID, int]
    wished_first: Mapping[uuid.UUID, int]
    kindergartens: Mapping[uuid.UUID, Kindergarten]

    def places_of(self, *, area: str = "", nature: str = "") -> int:
        return sum(n for site, n in self.places.items() if _is_in(self.kindergartens[site], area, nature))


def inputs_of(session: Session, run: Run) -> Inputs:
    """The inputs of a run, from its cut-offs and its wishes; a central run has neither."""
    site = Programme.kindergarten_id
    places = dict(
        session.execute(
            select(site, func.sum(CutOff.places))
            .select_from(CutOff)
            .join(Programme, Programme.id == CutOff.programme_id)
            .where(CutOff.run_id == run.id)
            .group_by(site)
        ).all()
    )
    wished = dict(
        session.execute(
            select(site, func.count())
            .select_from(WishReason)
            .join(Programme, Programme.id == WishReason.programme_id)
            .where(WishReason.run_id == run.id, WishReason.rank == 1)
            .group_by(site)
        ).all()
    )
    found = select(Kindergarten).where(Kindergarten.id.in_(places.keys() | wished.keys()))
    return Inputs(
        {at: int(n) for at, n in places.items()},
        {at: int(n) for at, n in wished.items()},
        {each.id: each for each in session.scalars(found)},
    )


def changed(before: int, now: int) -> tuple[int, int] | None:
    return None if before == now else (before, now)


def demand(before: Inputs, now: Inputs, *, area: str = "", nature: str = "") -> Demand | None:
    """The kindergarten there whose first wishes grew or fell by the largest factor; None if none by a quarter or more."""
    found: list[tuple[float, str, Demand]] = []
    for site, count in now.wished_first.items():
        kindergarten, earlier = now.kindergartens[site], before.wished_first.get(site, 0)
        if _is_in(kindergarten, area, nature) and min(count, earlier) >= FEWEST_WISHES:
            factor = max(count / earlier, earlier / count)
            found.append((factor, kindergarten.name, Demand(kindergarten.name, earlier, count)))
    return max(found)[2] if found and max(found)[0] >= 1.25 else None


def _is_in(kindergarten: Kindergarten, area: str, nature: str) -> bool:
    return (not area or kindergarten.area_code == area) and (not nature or kindergarten.nature == nature)
