"""Allocation of kindergarten places: deferred acceptance with pools, bound siblings and guaranteed places.

>>> from allocation import Market, explain, simulate, solve, verify
>>> market = Market.from_frames(
...     programmes={"programme": ["rose", "lily"], "places": [1, 1]},
...     children={"child": ["ann", "ben"]},
...     wishes={"child": ["ann", "ben", "ben"], "programme": ["rose", "rose", "lily"]},
...     tickets={"child": ["ann", "ben"], "ticket": [1, 2]},
... )
>>> outcome = solve(market)
>>> outcome.by_code.placement("ben")
Placement(programme='lily', rank=2, pool='general')
>>> verify(market, outcome)
[]

``docs/engine.md`` describes the rule, ``allocation/README.md`` a worked example. Names are imported when they are first
used, so that ``import allocation`` waits neither for numba nor for numpy. Only :func:`solve` is imported at once: its
module has the same name.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from allocation.solve import solve

if TYPE_CHECKING:
    from allocation.checks import check
    from allocation.faults import Fault, MarketFault
    from allocation.files import read_market
    from allocation.files.explanation import explain
    from allocation.files.verification import verify
    from allocation.market import Codes, Market
    from allocation.outcome import Outcome
    from allocation.pools import Pool
    from allocation.simulation import simulate

VERSION = "1.0"  # written into every result

__all__ = [
    "VERSION", "Codes", "Fault", "Market", "MarketFault", "Outcome", "Pool", "check", "explain", "read_market",
    "simulate", "solve", "verify",
]  # fmt: skip

_MODULES = {
    "Codes": "allocation.market",
    "Fault": "allocation.faults",
    "Market": "allocation.market",
    "MarketFault": "allocation.faults",
    "Outcome": "allocation.outcome",
    "Pool": "allocation.pools",
    "check": "allocation.checks",
    "explain": "allocation.files.explanation",
    "read_market": "allocation.files",
    "simulate": "allocation.simulation",
    "verify": "allocation.files.verification",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value
