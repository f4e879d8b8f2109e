"""Honest draws to be forged, and what is out of each: public file, openings, full file."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from allocation import lottery
from allocation.benchmark.synthetic import synthetic_market
from allocation.files.bundle import zip_bytes
from allocation.files.publication import Sensitive
from tests.engine.small_markets import tiny_market
from tests.engine.three_files import Draw, a_draw, entries_of

Rows = list[list[str]]


@dataclass
class Published:
    """What is out after a cheat. ``harmed`` are the families that look; ``known`` was published before the draw."""

    public: dict[str, bytes]
    openings: dict[str, dict[str, Any]]
    full: bytes
    known: str
    harmed: list[str] = field(default_factory=list)

    @property
    def zip(self) -> bytes:
        return zip_bytes(self.public)

    def rows(self, name: str) -> Rows:
        return [line.split(",") for line in self.public[name].decode().splitlines()]

    def write(self, name: str, rows: Rows) -> None:
        self.public[name] = ("\n".join(map(",".join, rows)) + "\n").encode()

    def json(self, name: str) -> dict[str, Any]:
        return json.loads(self.public[name])

    def change_json(self, name: str, **values: Any) -> None:
        self.public[name] = lottery.canonical({**self.json(name), **values})

    def cell(self, name: str, row: int, column: str, value: str) -> None:
        """Another value in one cell; rows count from 1, the first after the header."""
        rows = self.rows(name)
        assert rows[row][rows[0].index(column)] != value
        rows[row][rows[0].index(column)] = value
        self.write(name, rows)

    def order(self, block: str) -> list[int]:
        """The rows of a block in ``orders.csv``, in their order."""
        return [row for row, cells in enumerate(self.rows("orders.csv")) if cells[0] == block]

    def renumber(self, rows: Rows) -> None:
        """Write the orders with positions that rise in each block."""
        count: dict[str, int] = {}
        for cells in rows[1:]:
            count[cells[0]] = count.get(cells[0], 0) + 1
            cells[1] = str(count[cells[0]])
        self.write("orders.csv", rows)

    def entry_owner(self, entry: str) -> str:
        """The child of an entry."""
        for code, one in self.openings.items():
            if any(told["entry"] == entry for wish in one["wishes"] for told in wish["blocks"]):
                return code
        raise KeyError(entry)


@cache
def town() -> Draw:
    """Three hundred children; the estate of the first programme is a sensitive group, so its pools are one hidden block."""
    market = synthetic_market(300, units=True, pools=True, codes=True)
    first = next(pool for pool in market.pools.listed if pool.programme == 0)
    return a_draw(market, sensitive=Sensitive(groups=frozenset({str(market.codes.groups[first.groups[0]])})))


@cache
def replay() -> Draw:
    """A replay in which children have guaranteed places."""
    market = tiny_market(27, children=60, programmes=4, siblings=True, current=True, contrary=True)
    return a_draw(market, drawn=False, run=2)


@cache
def siblings() -> Draw:
    """A draw in which an elder's place gives a younger child a better tier."""
    return next(
        draw
        for draw in (
            a_draw(tiny_market(number, children=30, programmes=6, siblings=True, contrary=True)) for number in range(99)
        )
        if any(has_a_raised_tier(one) for one in draw.openings.values())
    )


def has_a_raised_tier(one: dict[str, Any]) -> bool:
    return any(told["tier"] < wish[2] for told, wish in zip(one["wishes"], one["facts"]["wishes"], strict=True))


def honest(draw: Draw) -> Published:
    openings = {code: json.loads(json.dumps(one)) for code, one in draw.openings.items()}
    return Published(entries_of(draw.public), openings, draw.full, draw.record.commitment)


def shown(published: Published, **cells: str) -> tuple[int, dict[str, str]]:
    """The first shown block with a line and children refused: its row in ``blocks.csv`` and its cells."""
    head, *rows = published.rows("blocks.csv")
    for place, row in enumerate(rows, start=1):
        found = dict(zip(head, row, strict=True))
        if found["order"] == "shown" and found["state"] == "line" and int(found["applicants"]) > 20:
            return place, found
    raise LookupError("no block with a line")


def edges(published: Published) -> tuple[Rows, list[int], int, int]:
    """The orders, the rows of a block, the row of its last admitted, and the row of the first refused after it."""
    _, block = shown(published)
    rows, own = published.rows("orders.csv"), published.order(block["block"])
    last = max(row for row in own if rows[row][3] == "admitted")
    return rows, own, last, next(row for row in own if row > last and rows[row][3] == "refused")
