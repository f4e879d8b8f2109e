"""The input of an allocation: programmes, pools, children and their ranked wishes, as arrays of numbers.

n children, m wishes, p programmes. Children, programmes, families, kindergartens, areas and groups are numbered from 0;
-1 means "none". ``codes`` holds the published codes of these numbers, if there are any; no rule uses them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from allocation.arrays import Array, column_faults, copied_columns, readonly_columns
from allocation.faults import MarketFault, limit_faults
from allocation.pools import Pool, PoolTable, pool_faults, pool_table
from allocation.validation import LEVELS, NATURES, PAIR_RULES, market_faults, ticket_faults

Numbers = npt.ArrayLike | None
Frame = Any  # a mapping from column names to sequences, or a data frame of pandas or polars

__all__ = ["LEVELS", "NATURES", "PAIR_RULES", "Codes", "Market", "Pool"]


@dataclass(frozen=True)
class Codes:
    """Published codes: of each kind one text for each number; a kind without codes is empty."""

    children: Sequence[str] = ()
    programmes: Sequence[str] = ()
    families: Sequence[str] = ()
    kindergartens: Sequence[str] = ()
    areas: Sequence[str] = ()
    groups: Sequence[str] = ()
    units: Sequence[str] = ()


@dataclass(frozen=True)
class Market:
    """One market. Make it with :meth:`from_arrays` or :meth:`from_frames`, which check it; the arrays are read-only."""

    offsets: Array  # int64[n + 1]: the wishes of child i are offsets[i] to offsets[i + 1], best first
    programme: Array  # int32[m]
    tier: Array  # uint8[m], 0 is best
    ticket: Array | None  # uint32[n], lower is better; None before the draw
    places: Array  # int32[p]
    pools: PoolTable
    rank: Array | None = None  # int32[m]: the numbers of a child's wishes, rising; None: 1, 2, 3 …
    unit: Array | None = None  # int32[n]: children that share a number are bound; -1 alone
    family: Array | None = None  # int32[n]
    group_start: Array | None = None  # int64[n + 1]
    group: Array | None = None  # int32[...]
    elder: Array | None = None  # int32[n]: an older sibling in this market, or -1
    current: Array | None = None  # int32[n]: the programme whose place is guaranteed, or -1
    level: Array | None = None  # int8[p], index in LEVELS
    nature: Array | None = None  # int8[p], index in NATURES
    area: Array | None = None  # int32[p]
    kindergarten: Array | None = None  # int32[p]
    sibling_tier: Array | None = None  # int16[p], -1: the kindergarten has no sibling tier
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
        offsets: npt.ArrayLike,
        programme: npt.ArrayLike,
        tier: npt.ArrayLike,
        ticket: Numbers,
        places: npt.ArrayLike,
        *,
        unit: Numbers = None,
        groups: Any = None,
        pools: Sequence[Pool] = (),
        known_groups: int | None = None,
        pair_rule: str = "overhang",
        season: str = "",
        round: str = "main",
        seed: str | None = None,
        codes: Codes | None = None,
        **columns: Numbers,
    ) -> "Market":
        """Make and check a market from wishes in CSR form (shapes and units as in the class).

        ``groups`` is ``(start, group)`` in CSR form or one sequence of group numbers for each child. ``pools`` lists
        the reserved places. ``columns`` are family, elder, current (for each child) and level, nature, area,
        kindergarten, sibling_tier (for each programme). Raises :class:`MarketFault` with every fault found, its
        ``row`` an index into the children, wishes, programmes or pools.
        """
        group_start, group = _csr(groups)
        given = {
            **columns, "offsets": offsets, "programme": programme, "tier": tier, "ticket": ticket, "places": places,
            "unit": unit, "group_start": group_start, "group": group,
        }  # fmt: skip
        listed = [Pool(*pool) for pool in pools]
        faults = limit_faults(column_faults(given))
        if faults:
            raise MarketFault(faults)
        values = copied_columns(given)
        faults = limit_faults(pool_faults(listed, values["places"], known_groups))
        if faults:
            raise MarketFault(faults)
        market = cls(
            pools=pool_table(listed, values["places"]),
            pair_rule=pair_rule,
            season=season,
            round=round,
            seed=seed,
            codes=codes or Codes(),
            **values,
        )
        faults = limit_faults(market_faults(market))
        if faults:
            raise MarketFault(faults)
        return market

    @classmethod
    def from_frames(
        cls,
        programmes: Frame,
        children: Frame,
        wishes: Frame,
        pools: Frame | None = None,
        tickets: Frame | None = None,
        *,
        pair_rule: str = "overhang",
        season: str = "",
        round: str = "main",
        seed: str | None = None,
    ) -> "Market":
        """Make and check a market from tables of codes: mappings of columns, or data frames of pandas or polars.

        The columns are those of the CSV files (``docs/engine.md``). These may be left out, here with their values:
        ``kindergarten`` (the programme), ``level`` (lower), ``nature`` (public), ``area`` (all) and ``sibling_tier``
        (none) of programmes; ``family`` (the child), ``unit``, ``groups``, ``elder`` and ``current`` (none) of children;
        ``rank`` (the order of the child's rows) and ``tier`` (0) of wishes; ``groups`` (everybody) and ``unclaimed``
        (open) of pools. ``None``, NaN and an empty text are an empty cell; ``groups`` may be lists. ``seed`` (64 hex
        digits) draws the tickets if there are none. Raises :class:`~allocation.faults.MarketFault` with every fault
        found; a row is its index from 0.
        """
        from allocation.files.frames import read_frames

        frames = {"programmes": programmes, "children": children, "wishes": wishes, "pools": pools, "tickets": tickets}
        head = {"pair_rule": pair_rule, "season": season, "round": round, "seed": seed}
        return read_frames({name: frame for name, frame in frames.items() if frame is not None}, head)

    def with_columns(self, pools: PoolTable | None = None, **columns: Any) -> "Market":
        """The same market with other arrays, unchecked and not copied: for the engine's own reordered rows."""
        return replace(self, pools=pools or self.pools, **readonly_columns(columns))

    def of_children(self, kept: Array) -> "Market":
        """The market of some of its children (bool[n]), in the same order; everything else stays.

        An elder sibling who is left out gives no priority. The caller keeps the children of a unit together.
        """
        chosen = np.flatnonzero(kept)
        number = np.full(self.children + 1, -1, dtype=np.int32)  # the last row is that of "none"
        number[chosen] = np.arange(len(chosen), dtype=np.int32)
        wished = np.repeat(kept, np.diff(self.offsets))
        columns: dict[str, Any] = {
            name: None if column is None else column[rows]
            for rows, names in (
                (wished, ("programme", "tier", "rank")),
                (chosen, ("ticket", "unit", "family", "current")),
            )
            for name in names
            for column in (getattr(self, name),)
        }
        columns["offsets"] = np.concatenate(([0], np.cumsum(np.diff(self.offsets)[chosen])))
        if self.elder is not None:
            columns["elder"] = number[self.elder[chosen]]
        if self.group_start is not None and self.group is not None:
            sizes = np.diff(self.group_start)
            columns["group"] = self.group[np.repeat(kept, sizes)]
            columns["group_start"] = np.concatenate(([0], np.cumsum(sizes[chosen])))
        codes = replace(
            self.codes, children=[self.codes.children[row] for row in chosen.tolist()] if self.codes.children else ()
        )
        return replace(self.with_columns(**columns), codes=codes)

    def with_tickets(self, ticket: Numbers, seed: str | None = None) -> "Market":
        """The same market with these tickets (uint32[n], distinct)."""
        faults = limit_faults(column_faults({"ticket": ticket}))
        if not faults:
            market = replace(self, **copied_columns({"ticket": ticket}), seed=seed if seed is not None else self.seed)
            faults = limit_faults(ticket_faults(market))
        if faults:
            raise MarketFault(faults)
        return market


def _csr(groups: Any) -> tuple[Any, Any]:
    """``(start, group)`` from CSR arrays or from one sequence for each child."""
    if groups is None:
        return None, None
    if isinstance(groups, tuple) and len(groups) == 2 and isinstance(groups[0], np.ndarray):
        return groups
    start = np.zeros(len(groups) + 1, dtype=np.int64)
    np.cumsum([len(one) for one in groups], out=start[1:])
    return start, [g for one in groups for g in one]
