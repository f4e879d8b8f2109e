"""The markets of the engine's tests, made by the same builders from the same shapes, and what the engine gives for each."""

from collections.abc import Iterator
from itertools import permutations

from allocation import files
from allocation.benchmark.synthetic import synthetic_market
from allocation.market import Market, Pool
from allocation.outcome import Outcome
from allocation.solve import solve
from tests.engine.cases import FOLDER, case, market_of
from tests.engine.market_changes import after_giving_up, again, given_up, unit_of, with_list, without_children
from tests.engine.small_markets import tiny_market
from tests.engine.test_cases import sibling_market
from tests.engine.test_every_outcome import SHAPES
from tests.engine.test_worked_example import DOCS

RULES = ("overhang", "close")


def worked() -> Iterator[Market]:
    """The cases of the collection and the worked example."""
    for path in sorted(FOLDER.glob("*.json")):
        told = case(path.name[:2])
        if "prefs" not in told.get("applicants", [{}])[0]:
            continue  # the lottery's vector has no wishes
        if path.name[:2] == "23":
            yield from (sibling_market(told, known) for known in (True, False))
            continue
        for rule in RULES:
            yield from (market_of(told, rule, unclaimed=unclaimed)[0] for unclaimed in ("open", "locked"))
    yield from (again(files.read_market(DOCS / "example"), pair_rule=rule) for rule in RULES)


def enumerated(rule: str) -> Iterator[Market]:
    """Those of which every outcome is written down, and those that are checked."""
    for shape in SHAPES.values():
        yield from (tiny_market(number, pair_rule=rule, **shape) for number in range(120))
    for siblings in (False, True):
        for current in (False, True):
            more = {"children": 9, "programmes": 4, "siblings": siblings, "current": current}
            yield from (tiny_market(number, pair_rule=rule, contrary=number % 2 == 1, **more) for number in range(150))
    for pools in (False, True):
        more = {"children": 30, "programmes": 6, "pools": pools, "contrary": True}
        yield from (tiny_market(number, pair_rule=rule, **more) for number in range(12))


def changed(rule: str) -> Iterator[Market]:
    """One place more, one child less, a better tier, empty pools, other lists."""
    for number in range(100):
        market = tiny_market(number, children=10, programmes=4, pair_rule=rule, contrary=number % 2 == 1)
        yield market
        places = market.places.copy()
        places[number % len(places)] += 1
        pools = [p._replace(places=None) if p.name == "general" else p for p in market.pools.listed]
        yield again(market, places=places, pools=pools)
        yield without_children(market, unit_of(market, number % market.children))[0]
        tier = market.tier.copy()
        tier[market.offsets[0] : market.offsets[len(unit_of(market, 0))]] = 0
        yield again(market, tier=tier)
        yield again(market, pools=[Pool(p, "empty", 1, 0, (0,), "locked") for p in range(market.programmes)])
    for number in range(20):
        market = tiny_market(number, children=4, programmes=3, units=False, pair_rule=rule)
        for child in range(market.children):
            own = list(range(market.offsets[child], market.offsets[child + 1]))
            for length in range(len(own) + 1):
                yield from (with_list(market, child, told) for told in permutations(own, length))


def replayed(rule: str) -> Iterator[Market]:
    """Three replays in a row, each after somebody gave up, with guaranteed places and siblings whose elder moves on."""
    for number in range(400):
        shape = {"siblings": number % 2 == 1, "contrary": number % 4 > 1}
        market = tiny_market(number, children=12, programmes=4, pair_rule=rule, **shape)
        for step in range(3):
            market = after_giving_up(market, solve(market), given_up(market, number, step))
            yield market


def towns() -> Iterator[Market]:
    yield from (synthetic_market(children, seed) for children, seed in ((400, 1), (2_000, 2), (2_000, 3), (5_000, 4)))
    yield synthetic_market(2_000, 5, units=True, pools=True)


def every_outcome(rule: str) -> list[Outcome]:
    """What the engine gives for each market under this pair rule."""
    of_rule = [market for market in (*worked(), *towns()) if market.pair_rule == rule]
    return [solve(market) for market in (*of_rule, *enumerated(rule), *changed(rule), *replayed(rule))]
