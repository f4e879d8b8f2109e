"""The drawings of a plan: places of bars and points.  Every value stands in a table or a sentence beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.officials.planning.figures import Step

WIDTH, TOP, HEIGHT = 460, 34, 120
"""Of every drawing, in its own units."""


@dataclass(frozen=True)
class Bar:
    """A bar from `y` down over `height`; `label_y` is where its number stands."""

    x: float
    y: float
    width: float
    height: float
    label_y: float


def short_bars(values: Sequence[int]) -> list[Bar]:
    """Children short by year: one bar each from the ground."""
    step, most = WIDTH / max(len(values), 1), max(*values, 1)
    found = []
    for place, value in enumerate(values):
        height = max(round(62 * value / most, 1), 2)
        found.append(Bar(round(place * step + 6, 1), round(84 - height, 1), round(step * 0.66, 1), height, 78 - height))
    return found


@dataclass(frozen=True)
class Waterfall:
    """Bars of the steps with the height of the target."""

    bars: list[Bar]
    target_y: float


def waterfall(steps: Sequence[Step], target: int) -> Waterfall:
    """The first and last bar stand on the ground, those between float from the share before to the one after."""
    shares = [step.share for step in steps] + [target]
    low, high = min(shares) - 60, max(shares) + 20

    def y_of(share: int) -> float:
        return round(TOP + HEIGHT * (high - share) / (high - low), 1)

    width = WIDTH / (len(steps) + 1)
    found = []
    for place, step in enumerate([*steps, Step("plan", 0, steps[-1].share)]):
        stands = place in (0, len(steps))
        before = low if stands else step.share - step.moved
        top, bottom = y_of(max(step.share, before)), y_of(min(step.share, before))
        x = round(place * width + 3, 1)
        found.append(Bar(x, top, round(width - 6, 1), max(round(bottom - top, 1), 2), top - 5))
    return Waterfall(found, y_of(target))


@dataclass(frozen=True)
class Point:
    """A price: where it is drawn, and the ends of what is not proved; `own` is the plan itself."""

    x: float
    y: float
    gap_y: float
    own: bool
    reached: bool
    told: dict[str, Any]


def prices(curve: Sequence[dict[str, Any]], own: int) -> list[Point]:
    """The points of the price curve; one that is not reached stands at the top."""
    known = [point["money"] for point in curve if point["money"] is not None and not point["short"]]
    low, high = min([*known, 0]), max([*known, 1])
    first, last = curve[0]["target"], curve[-1]["target"]
    found = []
    for point in curve:
        reached = point["money"] is not None and not point["short"]
        money = point["money"] if reached else high
        x = 40 + (WIDTH - 80) * (point["target"] - first) / max(last - first, 1)
        y = TOP + HEIGHT * (high - money) / (high - low)
        gap = HEIGHT * (point["gap"] or 0) / (high - low) if reached else 0.0
        found.append(Point(round(x, 1), round(y, 1), round(y + gap, 1), point["target"] == own, reached, point))
    return found
