"""The statement of the rule in docs/engine.md, run: it gives what the engine gives."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from allocation import solve
from tests.engine.definitions import pools_of
from tests.engine.small_markets import tiny_market

DOCUMENT = Path(__file__).parents[2] / "docs" / "engine.md"
MOST_LINES = 30  # without blank lines


def statement() -> str:
    """The block of code in the document that defines ``allocate``."""
    [code] = re.findall(r"```python\n(def allocate.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    return code


names: dict = {}
exec(compile(statement(), DOCUMENT.name, "exec"), names)
allocate = names["allocate"]


@dataclass(eq=False)
class Unit:
    children: list
    wishes: list
    ticket: int
    groups: list
    current: int | None


@dataclass(eq=False)
class Part:
    number: int
    places: int
    groups: frozenset
    locked: bool


def units_of(market):
    """The units of a market as the statement reads them."""
    members: dict = {}
    for child in range(market.children):
        bound = market.unit is not None and market.unit[child] >= 0
        members.setdefault(int(market.unit[child]) if bound else -1 - child, []).append(child)
    units = []
    for children in members.values():
        wishes = [range(market.offsets[c], market.offsets[c + 1]) for c in children]
        groups = [set() if market.group_start is None
                  else set(market.group[market.group_start[c] : market.group_start[c + 1]].tolist()) for c in children]  # fmt: skip
        current = -1 if market.current is None else int(market.current[children[0]])
        units.append(
            Unit(
                children,
                [
                    (int(market.programme[own[0]]), int(max(market.tier[list(own)])))
                    for own in zip(*wishes, strict=True)
                ],
                int(min(market.ticket[children])),
                groups,
                current if current >= 0 else None,
            )
        )
    return units


def parts_of(market):
    """The pools of each programme in precedence order, numbered as in the engine."""
    parts, number = {}, 0
    for programme in range(market.programmes):
        parts[programme] = []
        for pool in pools_of(market, programme):
            part = Part(number, pool.places, frozenset(pool.groups), pool.unclaimed == "locked")
            parts[programme].append(part)
            number += 1
    return parts


SHAPES = {
    "plain": {"units": False, "pools": False},
    "pools": {"units": False},
    "units": {"pools": False},
    "units and pools": {},
    "guaranteed places": {"current": True},
}


@pytest.mark.parametrize("rule", ["overhang", "close"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_statement_gives_what_the_engine_gives(shape, rule):
    placed = 0
    for number in range(200):
        market = tiny_market(
            number, children=3 + number % 10, programmes=1 + number % 5, pair_rule=rule,
            contrary=number % 2 == 1, **SHAPES[shape],
        )  # fmt: skip
        outcome = solve(market)
        for unit, found in allocate(units_of(market), parts_of(market), rule).items():
            for child in unit.children:
                programme, part = found or (-1, None)
                assert outcome.programme[child] == programme, (number, child)
                assert part is None or outcome.pool[child] == part.number, (number, child)
        placed += outcome.placed
    assert placed > 300


def test_guaranteed_places_that_no_pool_has_room_for():
    """The places were cut below those that are guaranteed: everybody keeps the place or gets a better one."""
    over = 0
    for number in range(200):
        market = tiny_market(number, children=9, programmes=3, current=True, pools=False)
        cut = market.with_columns(places=np.maximum(market.places - 1, 0))
        cut = type(market).from_arrays(
            cut.offsets, cut.programme, cut.tier, cut.ticket, cut.places, unit=cut.unit, current=cut.current,
            family=cut.family, pair_rule=("overhang", "close")[number % 2],
        )  # fmt: skip
        outcome = solve(cut)
        found = allocate(units_of(cut), parts_of(cut), cut.pair_rule)
        for unit, where in found.items():
            assert {int(outcome.programme[child]) for child in unit.children} == {-1 if where is None else where[0]}
        over += sum(where is not None and where[1] is None for where in found.values())
    assert over > 20


def test_the_statement_is_short_plain_python():
    code = statement()
    assert len(list(filter(str.strip, code.splitlines()))) <= MOST_LINES and "import" not in code
