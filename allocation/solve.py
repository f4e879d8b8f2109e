"""Who gets which place: the whole rule, from a market to an outcome.

The other modules are imported at the first call, so that ``import allocation`` does not wait for numba and numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from allocation.market import Market
    from allocation.outcome import Outcome


def solve(market: Market, progress: Callable[[str], None] | None = None) -> Outcome:
    """Allocate the places of ``market`` to its children.

    Deferred acceptance, proposed by the families' side: no family can get a better place in any stable outcome. The
    same market gives the same outcome, whatever the order of its rows. ``progress`` is called with one line of text
    before each class level. Raises :class:`~allocation.faults.MarketFault` if the tickets have not been drawn.
    """
    from allocation import renumber
    from allocation.matching import Matching
    from allocation.units import require_tickets

    require_tickets(market)
    if market.children < renumber.LARGE_MARKET:
        return Matching.of(market).run(progress).outcome(market)
    number = renumber.number_by_first_wish(market, renumber.BLOCK)
    return Matching.of(renumber.renumber_market(market, number)).run(progress).outcome(market, number)
