"""An outcome addressed by the codes of children, programmes and pools instead of by their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from functools import cached_property
from typing import Any

from allocation.outcome import LINE, REASONS, STATES, Outcome

_SENTENCES = {
    "placed": "placed in pool {pool}",
    "placed_higher": "not needed: an earlier wish was granted",
    "no_places": "no place is left here, or every place is guaranteed to somebody else",
    "not_eligible": "the places that are left are for other groups",
    "closed_by_unit": "the next in the order was a bound pair or triplet that did not fit; the place waits",
    "tier_below_cutoff": "tier {tier}; the last admitted in pool {pool} has tier {cutoff_tier}",
    "ticket_after_cutoff": "ticket {ticket}; the last admitted in tier {cutoff_tier} of pool {pool} has ticket {cutoff_ticket}",
}  # fmt: skip


@dataclass(frozen=True)
class Placement:
    """Where a child is placed: the programme, the rank of this wish in the child's list, and the pool."""

    programme: str
    rank: int
    pool: str


@dataclass(frozen=True)
class Cutoff:
    """The cut-off of one pool: columns as in ``cutoffs.csv``, ``None`` where the file has an empty cell."""

    programme: str
    pool: str
    places: int
    filled: int
    state: str  # all, none or line
    eligible: bool | None
    tier: int | None
    ticket: int | None


@dataclass(frozen=True)
class WishReason:
    """What became of one wish: columns as in ``reasons.csv``, ``None`` where the file has an empty cell."""

    rank: int
    programme: str
    pool: str | None
    reason: str  # one of allocation.outcome.REASONS
    tier: int
    ticket: int
    cutoff_tier: int | None
    cutoff_ticket: int | None

    def __str__(self) -> str:
        return f"wish {self.rank}, {self.programme}: " + _SENTENCES[self.reason].format(**asdict(self))

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> WishReason:
        """A row of ``reasons.csv``. Raises ``ValueError`` for a reason or a number that is none."""
        if row["reason"] not in REASONS:
            raise ValueError(f"{row['reason']} is not a reason")
        return cls(
            rank=int(row["rank"]),
            programme=row["programme"],
            pool=row["pool"] or None,
            reason=row["reason"],
            tier=int(row["tier"]),
            ticket=int(row["ticket"]),
            cutoff_tier=int(row["cutoff_tier"]) if row["cutoff_tier"] else None,
            cutoff_ticket=int(row["cutoff_ticket"]) if row["cutoff_ticket"] else None,
        )


class ResultByCode:
    """The result of :func:`allocation.solve` by codes. A child or a programme without a code goes by its number."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def placement(self, child: str) -> Placement | None:
        """Where the child is placed, ``None`` without a place. Raises ``KeyError`` for an unknown child."""
        return self._placement(self._child[child])

    @property
    def placements(self) -> dict[str, Placement | None]:
        """The placement of every child, by the child's code."""
        return {code: self._placement(index) for code, index in self._child.items()}

    def cutoff(self, programme: str, pool: str = "general") -> Cutoff:
        """The cut-off of one pool. Raises ``KeyError`` if there is no such pool."""
        return self.cutoffs[programme, pool]

    @cached_property
    def cutoffs(self) -> dict[tuple[str, str], Cutoff]:
        """Every cut-off, by the codes of programme and pool."""
        pools, found = self._outcome.market.pools, self._outcome.cutoffs
        cutoffs = {}
        for q in range(pools.count):
            programme, name, line = self._programmes[pools.programme[q]], pools.name(q), found.state[q] == LINE
            cutoffs[programme, name] = Cutoff(
                programme=programme,
                pool=name,
                places=int(pools.places[q]),
                filled=int(found.filled[q]),
                state=STATES[found.state[q]],
                eligible=bool(found.eligible[q]) if line else None,
                tier=int(found.tier[q]) if line else None,
                ticket=int(found.ticket[q]) if line else None,
            )
        return cutoffs

    def reasons(self, child: str) -> list[WishReason]:
        """What became of each wish of the child, best wish first. Raises ``KeyError`` for an unknown child."""
        return self._reasons(self._child[child])

    def tables(self) -> dict[str, dict[str, list[Any]]]:
        """The tables ``placements``, ``cutoffs`` and ``reasons`` as columns, for ``pandas.DataFrame`` or ``polars.DataFrame``.

        Columns as in the result files; rows in the order of the market; ``None`` for an empty cell.
        """
        placements = [(code, *(astuple(row) if row else (None, None, None))) for code, row in self.placements.items()]
        reasons = [(code, *astuple(row)) for code, index in self._child.items() for row in self._reasons(index)]
        return {
            "placements": _columns(["child", *_names(Placement)], placements),
            "cutoffs": _columns(_names(Cutoff), [astuple(row) for row in self.cutoffs.values()]),
            "reasons": _columns(["child", *_names(WishReason)], reasons),
        }

    @cached_property
    def _child(self) -> dict[str, int]:
        market = self._outcome.market
        return {code: index for index, code in enumerate(_texts(market.codes.children, market.children))}

    @cached_property
    def _programmes(self) -> Sequence[str]:
        market = self._outcome.market
        return _texts(market.codes.programmes, market.programmes)

    def _placement(self, index: int) -> Placement | None:
        outcome = self._outcome
        if outcome.rank[index] == 0:
            return None
        return Placement(
            programme=self._programmes[outcome.programme[index]],
            rank=int(outcome.listed_rank[index]),
            pool=outcome.market.pools.name(int(outcome.pool[index])),
        )

    def _reasons(self, index: int) -> list[WishReason]:
        market, table = self._outcome.market, self._outcome.reasons
        wishes = range(int(market.offsets[index]), int(market.offsets[index + 1]))
        return [
            WishReason(
                rank=place if market.rank is None else int(market.rank[wish]),
                programme=self._programmes[market.programme[wish]],
                pool=market.pools.name(int(table.pool[wish])) if table.pool[wish] >= 0 else None,
                reason=REASONS[table.code[wish]],
                tier=int(table.tier[wish]),
                ticket=int(table.ticket[index]),
                cutoff_tier=_number(table.cutoff_tier[wish]),
                cutoff_ticket=_number(table.cutoff_ticket[wish]),
            )
            for place, wish in enumerate(wishes, start=1)
        ]


def _texts(codes: Any, count: int) -> Sequence[str]:
    """Codes as Python text, also those of a column that was read from a file; numbers where there are none."""
    if not len(codes):
        return [str(index) for index in range(count)]
    return [str(code) for code in codes]


def _number(value: Any) -> int | None:
    return int(value) if value >= 0 else None


def _names(kind: type[Any]) -> list[str]:
    return [each.name for each in fields(kind)]


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
