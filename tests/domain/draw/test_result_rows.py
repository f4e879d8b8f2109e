"""How many children stand before a refused wish, counted from the arrays of the engine."""

import numpy as np
import pytest

from allocation.outcome import REASONS
from allocation.solve import solve
from enrollment.draw.result_rows import refused_before
from enrollment.draw.run_rows import REFUSED
from tests.engine.small_markets import tiny_market


@pytest.mark.parametrize("number", range(12))
def test_the_children_before_a_refused_wish_are_those_of_its_programme_with_a_better_standing(number):
    market = tiny_market(number, children=30, programmes=3, siblings=True, current=number % 2 == 1)
    found = solve(market)
    child = np.repeat(np.arange(market.children), np.diff(market.offsets))
    rows = list(
        zip(found.reasons.code.tolist(), market.programme, found.reasons.tier, found.reasons.ticket[child], strict=True)
    )
    refused = [REASONS[code] in REFUSED for code, *_more in rows]
    assert any(refused)
    for at, before in enumerate(refused_before(found).tolist()):
        _code, programme, *standing = rows[at]
        ahead = [
            other
            for other, theirs in zip(rows, refused, strict=True)
            if theirs and other[1] == programme and list(other[2:]) < standing
        ]
        assert before == (len(ahead) if refused[at] else -1)
