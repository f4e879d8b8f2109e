"""The result of an allocation, as arrays in the order of the market's children and pools."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from allocation.arrays import Array
from allocation.market import Market

if TYPE_CHECKING:
    from allocation.by_code import ResultByCode
    from allocation.reasons import Reasons

STATES = ("all", "none", "line")
ALL, NONE, LINE = range(3)

#: Why a wish was granted or refused; the first that applies.
REASONS = (
    "placed",
    "placed_higher",  # a wish before this one was granted
    "no_places",  # every place here is guaranteed to others, or there is none
    "not_eligible",  # the pools left are locked to others, or full with those they are for
    "closed_by_unit",  # the next in line was a bound unit that did not fit; the pool waits
    "tier_below_cutoff",
    "ticket_after_cutoff",
)


@dataclass(frozen=True)
class Cutoffs:
    """The cut-off of each pool of ``market.pools``.

    ``state``: ALL who asked got in; NONE could; LINE: whoever stands at or before ``(eligible, tier, ticket)``, the
    last admitted without a guaranteed place, gets in. The three numbers are 0 in the other states.
    """

    filled: Array  # int32[pools], places taken, in children
    state: Array  # uint8[pools], index in STATES
    eligible: Array  # uint8[pools]: 1 if the last admitted belongs to the pool's groups
    tier: Array  # uint8[pools]
    ticket: Array  # uint32[pools]


@dataclass(frozen=True)
class Outcome:
    """The placement of every child. ``programme`` and ``pool`` are -1 and ``rank`` is 0 for a child without a place."""

    market: Market
    programme: Array  # int32[n]
    rank: Array  # int32[n], 1 is the first wish
    pool: Array  # int32[n], index in market.pools
    cutoffs: Cutoffs
    overhang: Array  # int32[p]: children above the programme's places
    unit_tier: Array  # uint8[m]: the tier that counted, for the unit and after the sibling rule
    proposals: int  # how often a unit asked a pool

    @cached_property
    def reasons(self) -> "Reasons":
        """What became of each wish (:class:`allocation.reasons.Reasons`), computed when first asked for."""
        from allocation.reasons import reasons

        return reasons(self.market, self)

    @cached_property
    def by_code(self) -> "ResultByCode":
        """The same result by codes (:class:`allocation.by_code.ResultByCode`), made when first asked for."""
        from allocation.by_code import ResultByCode

        return ResultByCode(self)

    @cached_property
    def listed_rank(self) -> Array:
        """int32[n]: the rank of the granted wish as the child's list numbers it; 0 without a place.

        It differs from ``rank``, the place in the list, where the ranks of the list have gaps.
        """
        market = self.market
        if market.rank is None:
            return self.rank
        listed = np.zeros_like(self.rank)
        placed = np.flatnonzero(self.rank)
        listed[placed] = market.rank[market.offsets[placed] + self.rank[placed] - 1]
        return listed

    @property
    def placed(self) -> int:
        """Number of children with a place."""
        return int(np.count_nonzero(self.programme >= 0))
