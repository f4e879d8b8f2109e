"""What would change the next September: one cause at a time, by the same method."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from enrollment.coverage.forecast import method
from enrollment.coverage.forecast.past import INCLUSIVE, OTHER, PUBLIC, Numbers, Past

FEWER_BIRTHS = 0.95
CLASS_SIZE = 25
CLASSES, TURNED = 3, 2
LEVELS = 3


class Lever(StrEnum):
    """`cohort`: the upper classes leave and lower ones enter with another mix; it is decided already.  `estates`: the new
    estates on file, without which the share would be another."""

    COHORT = "cohort"
    ESTATES = "estates"
    BIRTHS = "births"
    CLASSES = "classes"
    TURNED = "turned"


@dataclass(frozen=True)
class Effect:
    """By how many points of a share a lever moves the next September, and the number of children it is about."""

    lever: Lever
    points: float
    children: int


def effects(past: Past, area: str, *, public_only: bool, turned: int) -> tuple[Effect, ...]:
    """The levers of one area, the largest first; none without births on file.  `turned` are the children of two usual private kindergartens."""
    place = past.areas.index(area)
    kinds = (PUBLIC,) if public_only else (PUBLIC, INCLUSIVE)
    estates = None if past.estates is None else past.estates[[place]]
    one = replace(past, areas=(area,), children=past.children[[place]], births=past.births[[place]], estates=estates)
    origin = one.years - 1
    usual = _share(method.project(one, origin), public_only)
    if np.isnan(usual):
        return ()

    def moved(children: int) -> float:
        total = float(method.project(one, origin).totals[0, 0])
        return 100 * children / total if total else 0.0

    found = [
        Effect(Lever.COHORT, *_cohort(one.children[0, origin], kinds, usual)),
        Effect(Lever.BIRTHS, _points(one, usual, public_only, _with_fewer_births), 0),
        Effect(Lever.CLASSES, moved(CLASSES * CLASS_SIZE), CLASSES * CLASS_SIZE),
        Effect(Lever.TURNED, moved(turned), turned),
    ]
    new = round(float(one.moved_in(origin + 1).sum()) * LEVELS)
    if new:
        found.append(Effect(Lever.ESTATES, -_points(one, usual, public_only, _without_estates), new))
    return tuple(sorted(found, key=lambda each: -abs(each.points)))


def usual_size(past: Past, area: str, kindergartens: int, *, public_only: bool) -> int:
    """The children of `TURNED` usual kindergartens that do not count for the share yet."""
    last = past.children[past.areas.index(area), -1]
    outside = last[:, INCLUSIVE].sum() * public_only + last[:, OTHER].sum()
    return round(float(outside) / kindergartens * TURNED) if kindergartens else 0


def _share(made: method.Projection, public_only: bool) -> float:
    part = made.public if public_only else made.covered
    total = float(made.totals[0, 0])
    return float(part[0, 0]) / total if total else 0.0


def _points(one: Past, usual: float, public_only: bool, change: Callable[[Past], Past]) -> float:
    return 100 * (_share(method.project(change(one), one.years - 1), public_only) - usual)


def _with_fewer_births(one: Past) -> Past:
    births = one.births.copy()
    births[:, one.years] *= FEWER_BIRTHS
    return replace(one, births=births)


def _without_estates(one: Past) -> Past:
    return replace(one, estates=None)


def _cohort(now: Numbers, kinds: tuple[int, ...], usual: float) -> tuple[float, int]:
    """From the share of today to that of September, and how many of these kinds leave."""
    total = float(now.sum())
    today = float(np.take(now, kinds, axis=1).sum()) / total if total else 0.0
    return 100 * (usual - today), round(float(np.take(now[method.UPPER], kinds).sum()))
