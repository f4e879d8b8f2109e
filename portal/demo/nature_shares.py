"""How the children of each area are spread over natures, and rolls that meet or miss a target by single children."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from allocation.coverage import Percent
from enrollment.ground.classifications import Level, Nature

TARGETS: dict[Nature, Percent] = {Nature.PUBLIC: Percent(5_100), Nature.INCLUSIVE: Percent(8_200)}
"""The city's targets of the demo's year, which two officials of the demo set."""

SHARES: dict[str, tuple[float, float]] = {
    "510104": (51, 34), "510105": (57, 30), "510106": (49, 39), "510107": (55, 33), "510108": (58, 31), "510112": (47, 40),
    "510113": (62, 26), "510114": (49, 38), "510115": (54, 33), "510116": (43, 37), "510117": (51, 36), "510118": (66, 23),
    "510121": (45, 37), "510129": (59, 29), "510131": (66, 23), "510181": (53, 29), "510182": (53, 33), "510183": (57, 30),
    "510184": (49, 33), "510185": (44, 42), "GXQ": (42, 37), "TFXQ": (44, 41), "DBXQ": (70, 19),
}  # fmt: skip
"""Percent of an area's children who are in public and in inclusive private kindergartens."""

ATTACHED = 0.04
WITH_ATTACHED = ("510121", "510129", "510181", "510182", "510183", "510184", "510185", "510114")
"""Share of the children, and the areas, of classes attached to primary schools 附设幼儿班."""


class Side(StrEnum):
    """The target is met, and with one child fewer it is not; or one child is missing."""

    JUST_MET = "just_met"
    JUST_MISSED = "just_missed"


NEAR_TARGET: dict[str, tuple[Nature, Side]] = {
    "510104": (Nature.PUBLIC, Side.JUST_MET),
    "510117": (Nature.PUBLIC, Side.JUST_MISSED),
    "510181": (Nature.INCLUSIVE, Side.JUST_MET),
    "510184": (Nature.INCLUSIVE, Side.JUST_MISSED),
}
"""Areas whose public share 公办占比 or inclusive coverage 普惠覆盖率 is within one child of its target."""

MOST_IN_A_CLASS = {Level.LOWER: 28, Level.MIDDLE: 33, Level.UPPER: 38}
FEWEST_IN_A_CLASS = 6


@dataclass
class RollClassPlan:
    """A class of the roll.  `rows` classes keep each child by name, the others a number."""

    name: str
    level: Level
    children: int
    rows: bool = False


@dataclass
class RollPlan:
    """The classes of one kindergarten, as coverage counts them: an attached one is in no numerator."""

    nature: Nature
    attached: bool
    classes: list[RollClassPlan]

    def counts_for(self, share: Nature) -> bool:
        return not self.attached and (
            self.nature == Nature.PUBLIC or (share == Nature.INCLUSIVE and self.nature == Nature.INCLUSIVE)
        )


def fit_to_target(area: str, rolls: Sequence[RollPlan]) -> None:
    """Move single children between the classes of an area in `NEAR_TARGET`, until its share is on its side."""
    if area not in NEAR_TARGET:
        return
    share, side = NEAR_TARGET[area]
    inside = [each for roll in rolls if roll.counts_for(share) for each in _counted(roll)]
    outside = [each for roll in rolls if not roll.counts_for(share) for each in _counted(roll)]
    part, rest = sum(each.children for each in inside), sum(each.children for each in outside)
    wanted = -(-TARGETS[share].hundredths * (part + rest) // 10_000) - (side == Side.JUST_MISSED)
    if part < wanted:
        _move(wanted - part, outside, inside)
    else:
        _move(part - wanted, inside, outside)


def _counted(roll: RollPlan) -> list[RollClassPlan]:
    return [each for each in roll.classes if each.level != Level.NURSERY]


def _move(children: int, from_: list[RollClassPlan], to: list[RollClassPlan]) -> None:
    for _ in range(children):
        max(from_, key=lambda each: each.children - FEWEST_IN_A_CLASS).children -= 1
        max(to, key=lambda each: MOST_IN_A_CLASS[each.level] - each.children).children += 1
