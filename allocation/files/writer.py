"""Markets and outcomes as files: rows in the order of their key columns, the same bytes for the same values."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from allocation import lottery
from allocation.arrays import Array
from allocation.files import text_columns as text
from allocation.files.csv_rows import Column, Texts, csv_bytes, encode_texts, file_blocks, join_blocks
from allocation.files.layout import COLUMNS, FORMAT, RESULT_COLUMNS
from allocation.market import LEVELS, NATURES, Codes, Market
from allocation.outcome import REASONS, STATES, Outcome

CHILDREN_AT_ONCE = 1 << 12
"""Children whose wishes are columns at the same time."""


def market_files(market: Market) -> dict[str, bytes]:
    """The files of a market, by name. ``tickets.csv`` is there if tickets were given without a seed.

    The market's codes must name children and programmes; other columns without codes are written as numbers.
    """
    code, row = _Names(market.codes), text.sort_order(market.codes.children)
    head = {
        "format": FORMAT, "season": market.season, "round": market.round, "seed": market.seed,
        "pair_rule": market.pair_rule,
    }  # fmt: skip
    wish, child, rank = wish_rows(market, row)
    tables = {
        "programmes.csv": _programmes(market, code),
        "children.csv": _children(market, code, row),
        "wishes.csv": (
            code("children", child), Column(rank), code("programmes", market.programme[wish]),
            Column(market.tier[wish]),
        ),
    }  # fmt: skip
    if market.pools.listed:
        tables["pools.csv"] = _pools(market)
    if market.ticket is not None and market.seed is None:
        tables["tickets.csv"] = code("children", row), Column(market.ticket[row])
    return {"market.json": lottery.canonical(head)} | {
        name: csv_bytes(COLUMNS[name], columns) for name, columns in tables.items()
    }


def result_files(outcome: Outcome) -> dict[str, bytes]:
    """The three result files, by name."""
    return {name: join_blocks(blocks) for name, blocks in result_blocks(outcome)}


def result_blocks(outcome: Outcome) -> Iterator[tuple[str, Iterator[bytes]]]:
    """As :func:`result_files`, each file in blocks of some thousand rows; the largest file is never in memory whole."""
    code, row = _Names(outcome.market.codes), text.sort_order(outcome.market.codes.children)
    pool_names = encode_texts([outcome.market.pools.name(q) for q in range(outcome.market.pools.count)])
    placements = (
        code("children", row), code("programmes", outcome.programme[row]),
        Column(np.where(outcome.rank > 0, outcome.listed_rank, -1)[row]), Column(outcome.pool[row], pool_names),
    )  # fmt: skip
    parts: dict[str, Iterable[Sequence[Column]]] = {
        "placements.csv": [placements],
        "cutoffs.csv": [_cutoffs(outcome, code, pool_names)],
        "reasons.csv": _reasons(outcome, code, pool_names, row),
    }
    for name, columns in parts.items():
        yield name, file_blocks(RESULT_COLUMNS[name], columns)


class _Names:
    """Columns of codes; their texts are encoded once. An index without a code is written as its number."""

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self.made: dict[str, Texts] = {}

    def __call__(self, kind: str, index: Array) -> Column:
        if kind not in self.made:
            self.made[kind] = text.texts(getattr(self.codes, kind))
        return Column(index, self.made[kind] if len(getattr(self.codes, kind)) else None)


def _programmes(market: Market, code: _Names) -> Sequence[Column]:
    row, p = text.sort_order(market.codes.programmes), market.programmes
    zero = np.zeros(p, dtype=np.int32)
    kindergarten = np.arange(p) if market.kindergarten is None else market.kindergarten
    return (
        code("programmes", row),
        code("kindergartens", kindergarten[row]),
        Column((zero + 1 if market.level is None else market.level)[row], encode_texts(LEVELS)),
        Column((zero if market.nature is None else market.nature)[row], encode_texts(NATURES)),
        code("areas", (zero if market.area is None else market.area)[row]),
        Column(market.places[row]),
        Column((zero - 1 if market.sibling_tier is None else market.sibling_tier)[row]),
    )


def _children(market: Market, code: _Names, row: Array) -> Sequence[Column]:
    none, alone = np.full(market.children, -1), np.arange(market.children)
    return (
        code("children", row),
        code("children", alone[row]) if market.family is None else code("families", market.family[row]),
        code("units", (none if market.unit is None else market.unit)[row]),
        _groups(market, row),
        code("children", (none if market.elder is None else market.elder)[row]),
        code("programmes", (none if market.current is None else market.current)[row]),
    )


def _groups(market: Market, row: Array) -> Column:
    """The groups of each child, joined by ``;``."""
    if market.group_start is None or market.group is None or not len(market.group):
        return Column(np.full(len(row), -1))
    return Column(row, text.texts(text.join(market.group_start, _group_names(market, market.group))))


def _group_names(market: Market, groups: Array) -> text.Text:
    return text.take(market.codes.groups, groups) if len(market.codes.groups) else groups.astype(str)


def _pools(market: Market) -> Sequence[Column]:
    listed = market.pools.listed
    programme = text.take(market.codes.programmes, np.array([pool.programme for pool in listed]))
    start = np.cumsum([0, *(len(pool.groups) for pool in listed)])
    groups = np.array([group for pool in listed for group in pool.groups], dtype=np.int64)
    row = text.sort_order(programme, [pool.name for pool in listed])
    return (
        Column(row, text.texts(programme)),
        Column(row, encode_texts([pool.name for pool in listed])),
        Column(np.array([pool.precedence for pool in listed])[row]),
        Column(np.array([-1 if pool.places is None else pool.places for pool in listed])[row]),
        Column(row, text.texts(text.join(start, _group_names(market, groups)))),
        Column(row, encode_texts([pool.unclaimed for pool in listed])),
    )


def _cutoffs(outcome: Outcome, code: _Names, pool_names: Texts) -> Sequence[Column]:
    pools, cutoffs = outcome.market.pools, outcome.cutoffs
    programme = text.take(outcome.market.codes.programmes, pools.programme)
    q = text.sort_order(programme, [pools.name(q) for q in range(pools.count)])
    line = cutoffs.state[q] == STATES.index("line")
    return (
        code("programmes", pools.programme[q]), Column(q, pool_names), Column(pools.places[q]),
        Column(cutoffs.filled[q]), Column(cutoffs.state[q], encode_texts(STATES)),
        *(Column(np.where(line, column[q].astype(np.int64), -1))
          for column in (cutoffs.eligible, cutoffs.tier, cutoffs.ticket)),
    )  # fmt: skip


def _reasons(outcome: Outcome, code: _Names, pool_names: Texts, row: Array) -> Iterator[Sequence[Column]]:
    """The columns of ``reasons.csv``, those of some thousand children at a time, which fit into the cache."""
    market, why, names = outcome.market, outcome.reasons, encode_texts(REASONS)
    for begin in range(0, len(row), CHILDREN_AT_ONCE):
        wish, child, rank = wish_rows(market, row[begin : begin + CHILDREN_AT_ONCE])
        yield (
            code("children", child), Column(rank), code("programmes", market.programme[wish]),
            Column(why.pool[wish], pool_names), Column(why.code[wish], names), Column(why.tier[wish]),
            Column(why.ticket[child]), Column(why.cutoff_tier[wish]), Column(why.cutoff_ticket[wish]),
        )  # fmt: skip


def wish_rows(market: Market, children: Array) -> tuple[Array, Array, Array]:
    """Wishes child by child in this order: index, child and rank of each row."""
    begins = market.offsets[children]
    lengths = market.offsets[children + 1] - begins
    child = np.repeat(children, lengths)
    place = np.arange(len(child)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    wish = np.repeat(begins, lengths) + place
    return wish, child, place + 1 if market.rank is None else market.rank[wish]
