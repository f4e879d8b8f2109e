"""The families of an experiment, as arrays: what each child truly wants, and what holds for it there.

The *list* of a child begins with its declared wishes in their order and goes on with the wishes that it is assumed to have.
No name, code or id of a child is here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from allocation.arrays import Array
from allocation.pools import Pool
from enrollment.season.facts import Ground

GROUNDS = tuple(Ground)
GROUND_BIT = {ground: 1 << number for number, ground in enumerate(GROUNDS)}

OTHER, RESIDENCE, HUKOU = 0, 1, 2
"""A child's registration: neither, a residence permit of the kindergarten's area, local hukou there."""


@dataclass(frozen=True)
class Programmes:
    """The programmes, p of them; `pools` are the reserved places, their groups the numbers of grounds."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    places: Array
    level: Array
    nature: Array
    area: Array  # index in `Families.areas`
    kindergarten: Array
    sibling_tier: Array
    counted: Array  # the nature under which the two shares count the children; -1 not at all
    pools: tuple[Pool, ...] = ()


@dataclass(frozen=True)
class PolicyTiers:
    """The tier of each wish (uint8[m]) and the sibling tier of each programme under a version of an area's rules."""

    tier: Array
    sibling_tier: Array


@dataclass(frozen=True)
class Families:
    """n children; m wishes of their lists, the best first: those of child i are offsets[i] to offsets[i + 1]."""

    offsets: Array
    programme: Array
    tier: Array
    grounds: Array  # uint16[m]: the grounds that hold for the child there, as bits of GROUND_BIT
    metres: Array  # int32[m]; -1 unknown
    worth: Array  # float64[m], falling from 1 for the best wish to 0 for the worst
    declared: Array  # int32[n]: how many of the list the family declared
    family: Array
    unit: Array  # -1 alone
    elder: Array  # -1 none
    programmes: Programmes
    areas: tuple[str, ...]
    continuing: Array  # int64[areas, natures]: children who stay in their class
    pair_rule: str = "overhang"
    under_policy: Mapping[str, "PolicyTiers"] = field(default_factory=dict)
    """What is different under a version of an area's rules, by its id."""

    fitted: bool = False
    """Whether the assumed wishes come from these families' own lists; else only from the distance."""

    @property
    def children(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> Array:
        return np.diff(self.offsets)

    @cached_property
    def owner(self) -> Array:
        """The child of each wish."""
        return np.repeat(np.arange(self.children), self.lengths)

    @cached_property
    def position(self) -> Array:
        """The place of each wish in its list, from 0."""
        first: Array = np.repeat(self.offsets[:-1], self.lengths)
        return np.arange(len(first)) - first

    @cached_property
    def leader(self) -> Array:
        """The first child of each bound unit; a child alone is its own."""
        first = np.arange(self.children)
        bound = self.unit >= 0
        if bound.any():
            lowest = np.full(int(self.unit.max()) + 1, self.children)
            np.minimum.at(lowest, self.unit[bound], first[bound])
            first[bound] = lowest[self.unit[bound]]
        return first.astype(np.int32)

    @cached_property
    def any_ground(self) -> Array:
        """The grounds that hold for a child at one of its declared wishes at least (uint16[n])."""
        said = self.position < self.declared[self.owner]
        found = np.zeros(self.children, dtype=np.uint16)
        np.bitwise_or.at(found, self.owner[said], self.grounds[said].astype(np.uint16))
        return found

    @cached_property
    def home(self) -> Array:
        """The area of a child's first wish (index in `areas`); -1 without a wish."""
        has = self.lengths > 0
        area = np.full(self.children, -1)
        area[has] = self.programmes.area[self.programme[self.offsets[:-1][has]]]
        return area

    @cached_property
    def registration(self) -> Array:
        """HUKOU, RESIDENCE or OTHER of each child."""
        hukou = (self.any_ground & (GROUND_BIT[Ground.LOCAL_HUKOU] | GROUND_BIT[Ground.COLLECTIVE_HUKOU])) > 0
        permit = (self.any_ground & GROUND_BIT[Ground.RESIDENCE_PERMIT]) > 0
        return np.where(hukou, HUKOU, np.where(permit, RESIDENCE, OTHER))

    def holds(self, ground: Ground) -> Array:
        """Whether the ground holds, for each wish of the lists."""
        holding: Array = np.greater(self.grounds & GROUND_BIT[ground], 0)
        return holding
