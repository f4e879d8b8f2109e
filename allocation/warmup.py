"""Compiles the engine ahead of its first use."""

from typing import Any

import numpy as np

from allocation.checks import check
from allocation.files.csv_rows import Column, count_lists, csv_bytes, encode_texts, follow_order, read_numbers
from allocation.market import Market, Pool
from allocation.renumber import number_by_first_wish, renumber_market, restore_rows
from allocation.sha256 import digests
from allocation.solve import solve

_SHAPES: tuple[dict[str, Any], ...] = ({}, {"elder": [1, -1, -1], "current": [0, -1, -1]}, {"unit": [-1, 0, 0]})


def compile_all() -> None:
    """Compile every path (or load it from the cache), so that no round waits for the compiler."""
    for pools in ((), (Pool(0, "reserved", 0, 1, (0,), "open"),)):
        for columns in _SHAPES:
            market = Market.from_arrays(
                [0, 1, 2, 3], [0, 1, 1], [0, 0, 0], [1, 2, 3], [1, 1], pools=pools, groups=[(0,), (), ()],
                level=[1, 2], kindergarten=[0, 0], sibling_tier=[0, -1], **columns,
            )  # fmt: skip
            outcome = solve(market)
            _ = outcome.reasons
            check(market, outcome)
    number = number_by_first_wish(market)
    local = renumber_market(market, number)
    restore_rows(local.tier, market.offsets, local.offsets, number)
    digests(b"", np.zeros(1, dtype=np.uint8), np.array([0, 1]))
    csv_bytes(["number"], [Column(np.zeros(1))])
    follow_order(*encode_texts(["a"]), *encode_texts(["a"]), np.zeros(1, dtype=np.int32))
    read_numbers(*encode_texts(["1"]), np.zeros(1, dtype=np.int64))
    count_lists(np.zeros(1, dtype=np.int32), np.ones(1, dtype=np.int64), np.zeros(2, dtype=np.int64))
