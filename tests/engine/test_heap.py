"""A pool's heap has the worst of those it holds on top, however many come and go."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from allocation.deferred_acceptance import push, read_standing, replace_worst, standing

keys = st.integers(0, 2**63)


@settings(deadline=None)
@given(
    st.integers(0, 3), st.lists(keys, min_size=1, max_size=40, unique=True), st.lists(keys, max_size=40, unique=True)
)
def test_the_worst_is_on_top(base, first, later):
    heap = np.zeros(base + len(first), dtype=np.uint64)
    for count, key in enumerate(first):
        push(heap, base, count, np.uint64(key))
        assert heap[base] == max(first[: count + 1])
    held = sorted(first)
    for key in later:
        replace_worst(heap, base, len(held), np.uint64(key))
        held = sorted([*held[:-1], key])
        assert heap[base] == held[-1]
        assert sorted(heap[base:].tolist()) == held
    assert not heap[:base].any()


@settings(deadline=None)
@given(st.integers(0, 15), st.integers(0, 2**32 - 1), st.integers(0, 2**26 - 1))
def test_a_standing_is_read_as_it_was_written(tier, ticket, unit):
    key = standing(tier, ticket, unit)
    assert key == 1 << 63 | tier << 58 | ticket << 26 | unit
    assert read_standing(key) == (False, True, tier, ticket)
    assert read_standing(key | np.uint64(1 << 62)) == (False, False, tier, ticket)
    assert read_standing(key & ~np.uint64(1 << 63)) == (True, True, tier, ticket)
