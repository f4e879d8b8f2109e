"""The input of an allocation: programmes, pools, children and their ranked wishes, as columns of numbers.

n children, m wishes, p programmes. Children, programmes, families, kindergartens, areas and groups are indices from 0;
-1 says "none". ``codes`` carries the published names of these indices, where there are any; no rule looks at them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from allocation.arrays import frozen_columns
from allocation.faults import Fault, MarketFault
from allocation.pools import Pool, PoolTable, pool_faults, pool_table
from allocation.validation import LEVELS, NATURES, PAIR_RULES, WORST_TIER, market_faults, ticket_faults

__all__ = ["LEVELS", "NATURES", "PAIR_RULES", "Codes", "Market", "Pool"]


@dataclass(frozen=True)
class Codes:
    """Published codes, one for each index. Each is a sequence of text; an absent one is empty."""

    children: Sequence[str] = ()
    programmes: Sequence[str] = ()
    families: Sequence[str] = ()
    kindergartens: Sequence[str] = ()
    areas: Sequence[str] = ()
    groups: Sequence[str] = ()
    units: Sequence[str] = ()


@dataclass(frozen=True)
class Market:
    """One market. Build it with :meth:`from_arrays`, which checks it; the arrays are read-only."""

    offsets: np.ndarray  # int64[n + 1]: the wishes of child i are offsets[i] to offsets[i + 1], best first
    programme: np.ndarray  # int32[m]
    tier: np.ndarray  # uint8[m], 0 is best
    ticket: np.ndarray | None  # uint32[n], lower is better; None before the draw
    places: np.ndarray  # int32[p]
    pools: PoolTable
    unit: np.ndarray | None = None  # int32[n]: children that share a number are bound; -1 alone
    family: np.ndarray | None = None  # int32[n]
    group_start: np.ndarray | None = None  # int64[n + 1]
    group: np.ndarray | None = None  # int32[...]
    elder: np.ndarray | None = None  # int32[n]: an older sibling in this market, or -1
    current: np.ndarray | None = None  # int32[n]: the programme whose place is guaranteed, or -1
    level: np.ndarray | None = None  # int8[p], index in LEVELS
    nature: np.ndarray | None = None  # int8[p], index in NATURES
    area: np.ndarray | None = None  # int32[p]
    kindergarten: np.ndarray | None = None  # int32[p]
    sibling_tier: np.ndarray | None = None  # int16[p], -1: the kindergarten has no sibling tier
    pair_rule: str = "overhang"
    season: str = ""
    round: str = "main"
    seed: str | None = None  # 64 hex digits
    codes: Codes = field(default_factory=Codes)

    @property
    def children(self) -> int:
        """Number of children."""
        return len(self.offsets) - 1

    @property
    def programmes(self) -> int:
        """Number of programmes."""
        return len(self.places)

    @classmethod
    def from_arrays(
        cls,
        offsets,
        programme,
        tier,
        ticket,
        places,
        *,
        unit=None,
        groups=None,
        pools: Sequence[Pool] = (),
        known_groups: int | None = None,
        pair_rule: str = "overhang",
        season: str = "",
        round: str = "main",
        seed: str | None = None,
        codes: Codes | None = None,
        **columns,
    ) -> "Market":
        """Make and check a market from wishes in CSR form (shapes and units as in the class).

        ``groups`` is ``(start, group)`` in CSR form or one sequence of group numbers for each child. ``pools`` lists
        the reserved places. ``columns`` are family, elder, current (for each child) and level, nature, area,
        kindergarten, sibling_tier (for each programme). Raises :class:`MarketFault` with every fault found, its
        ``row`` an index into the children, wishes, programmes or pools.
        """
        group_start, group = _csr(groups)
        values = frozen_columns({**columns, "unit": unit, "offsets": offsets, "programme": programme, "places": places})
        listed = [Pool(*pool) for pool in pools]
        faults = [*_range_faults("tier", tier, 0, WORST_TIER, "wishes"), *_range_faults("ticket", ticket, 0, 2**32 - 1)]
        if not faults:
            faults = pool_faults(listed, values["places"], known_groups)
        if faults:
            raise MarketFault(faults)
        market = cls(
            pools=pool_table(listed, values["places"]),
            **frozen_columns({"tier": tier, "ticket": ticket, "group_start": group_start, "group": group}),
            pair_rule=pair_rule,
            season=season,
            round=round,
            seed=seed,
            codes=codes or Codes(),
            **values,
        )
        faults = market_faults(market)
        if faults:
            raise MarketFault(faults)
        return market

    def with_columns(self, pools: PoolTable | None = None, **columns) -> "Market":
        """The same market with some columns exchanged, unchecked: for rows known to be sound in another order."""
        return replace(self, pools=pools or self.pools, **frozen_columns(columns))

    def with_tickets(self, ticket, seed: str | None = None) -> "Market":
        """The same market with these tickets (uint32[n], distinct)."""
        drawn = replace(self.with_columns(ticket=ticket), seed=seed if seed is not None else self.seed)
        faults = list(ticket_faults(drawn))
        if faults:
            raise MarketFault(faults)
        return drawn


def _csr(groups):
    """``(start, group)`` from CSR arrays or from one sequence for each child."""
    if groups is None:
        return None, None
    if isinstance(groups, tuple) and len(groups) == 2 and isinstance(groups[0], np.ndarray):
        return groups
    start = np.zeros(len(groups) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in groups], out=start[1:])
    return start, np.array([g for one in groups for g in one], dtype=np.int32)


def _range_faults(column, values, lowest, highest, table="children"):
    """Values that do not fit their type, found before they are cut down to it."""
    if values is None:
        return
    values = np.asarray(values)
    if values.dtype in (np.uint8, np.uint32) and np.iinfo(values.dtype).max <= highest:
        return
    for row in np.flatnonzero((values < lowest) | (values > highest))[:100]:
        yield Fault(table, int(row), column, f"{values[row]} is not between {lowest} and {highest}")
