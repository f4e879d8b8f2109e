"""Invented families on a plane, for the published effects and for measurements.

Families and kindergartens lie at random in square towns of up to 60 kindergartens, side by side.  Worth = attraction of the
kindergarten - distance + an unseen part.  The nearest kindergartens of a child are its service area.
"""

from dataclasses import dataclass

import numpy as np

from enrollment.laboratory.families import GROUND_BIT, Families, Programmes
from enrollment.places.areas import LEVELS, Level
from enrollment.season.facts import Ground

TOWN = 60


@dataclass(frozen=True)
class _Town:
    programme: np.ndarray
    metres: np.ndarray
    worth: np.ndarray
    served: np.ndarray


def families(
    children: int,
    programmes: int,
    seed: int = 1,
    *,
    zone: int = 0,
    priority: bool = False,
    longest: int = 12,
    demand: float = 1.05,
) -> Families:
    """`zone`: the nearest programmes that are a child's service area (0: none); `priority`: it gives the better tier.

    `longest` is the length of the lists, `demand` the number of children for each place.
    """
    dice = np.random.default_rng(seed)
    towns = max(programmes // TOWN, 1)
    size, people = programmes // towns, children // towns
    longest = min(longest, size)
    found = [_town(dice, people, size, at * size, zone, longest) for at in range(towns)]
    children, programmes = towns * people, towns * size
    inside = np.concatenate([town.served for town in found]).ravel()
    total = round(children / demand)
    places = np.full(programmes, total // programmes, dtype=np.int32)
    places[: total - places.sum()] += 1
    return Families(
        offsets=(np.arange(children + 1) * longest).astype(np.int64),
        programme=np.concatenate([town.programme for town in found]).ravel().astype(np.int32),
        tier=np.where(inside, 0, 1 if priority else 0).astype(np.uint8),
        grounds=np.where(inside, GROUND_BIT[Ground.SERVICE_AREA], 0).astype(np.uint16),
        metres=np.concatenate([town.metres for town in found]).ravel(),
        worth=np.concatenate([town.worth for town in found]).ravel(),
        declared=np.full(children, min(5, longest), dtype=np.int32),
        family=np.arange(children, dtype=np.int32),
        unit=np.full(children, -1, dtype=np.int32),
        elder=np.full(children, -1, dtype=np.int32),
        programmes=Programmes(
            codes=tuple(f"p{at}" for at in range(programmes)),
            names=tuple(f"p{at}" for at in range(programmes)),
            places=places,
            level=np.full(programmes, LEVELS.index(Level.LOWER)),
            nature=np.arange(programmes) % 2,
            area=np.arange(programmes) // size,
            kindergarten=np.arange(programmes),
            sibling_tier=np.full(programmes, -1),
            counted=np.arange(programmes) % 2,
        ),
        areas=tuple(f"a{at}" for at in range(towns)),
        continuing=np.zeros((towns, 3), dtype=np.int64),
    )


def _town(dice: np.random.Generator, children: int, size: int, first: int, zone: int, longest: int) -> _Town:
    edge = 8 * np.sqrt(size / 60)
    homes, sites = dice.uniform(0, edge, (children, 2)), dice.uniform(0, edge, (size, 2))
    fame = dice.normal(0, 1, size)
    away = np.hypot(homes[:, None, 0] - sites[None, :, 0], homes[:, None, 1] - sites[None, :, 1])
    value = fame[None, :] - away + dice.gumbel(0, 0.7, away.shape)
    rows = np.argsort(-value, axis=1)[:, :longest]
    falling = np.take_along_axis(value, rows, 1)
    span = np.maximum(falling[:, :1] - falling[:, -1:], 1e-9)
    nearness = np.argsort(np.argsort(away, axis=1), axis=1)
    return _Town(
        rows + first,
        (1000 * np.take_along_axis(away, rows, 1)).astype(np.int32),
        (falling - falling[:, -1:]) / span,
        np.take_along_axis(nearness, rows, 1) < zone,
    )
