"""The result of an allocation, as columns of numbers in the order of the market's children and pools."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from allocation.market import Market

STATES = ("all", "none", "line")
ALL, NONE, LINE = range(3)


@dataclass(frozen=True)
class Cutoffs:
    """One line for each pool of ``market.pools``.

    ``state``: ALL who asked got in; NONE could; LINE: whoever stands at or before ``(eligible, tier, ticket)``, the
    last admitted without a guaranteed place, gets in. The three numbers are 0 unless there is a line.
    """

    filled: np.ndarray  # int32[pools], places taken, in children
    state: np.ndarray  # uint8[pools], index in STATES
    eligible: np.ndarray  # uint8[pools]: 1 if the last admitted belongs to the pool's groups
    tier: np.ndarray  # uint8[pools]
    ticket: np.ndarray  # uint32[pools]


@dataclass(frozen=True)
class Outcome:
    """Who goes where. ``programme`` and ``pool`` are -1 and ``rank`` is 0 for a child without a place."""

    market: Market
    programme: np.ndarray  # int32[n]
    rank: np.ndarray  # int32[n], 1 is the first wish
    pool: np.ndarray  # int32[n], index in market.pools
    cutoffs: Cutoffs
    overhang: np.ndarray  # int32[p]: children above the programme's places
    unit_tier: np.ndarray  # uint8[m]: the tier that counted, for the unit and after the sibling rule
    proposals: int  # how often a unit asked a pool

    @cached_property
    def reasons(self):
        """What became of each wish (:class:`allocation.reasons.Reasons`), computed when first asked for."""
        from allocation.reasons import reasons

        return reasons(self.market, self)

    @property
    def placed(self) -> int:
        """Number of children with a place."""
        return int(np.count_nonzero(self.programme >= 0))
