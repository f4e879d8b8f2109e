"""A market as files: rows of codes to CSV bytes, and back.  Codes are pseudonyms, never names or ID numbers of people.

`docs/engine.md` defines the columns and their order.  Rows are sorted by their key columns, so that the same market
always has the same commitment.
"""

import csv
import io
import json
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

FORMAT = "market/1"
SAME_TIME = (1980, 1, 1, 0, 0, 0)
FASTEST = 1
"""The level of the compression: a higher one makes a market a tenth smaller in three times as long."""
ROWS_AT_ONCE = 16_384


class ProgrammeRow(NamedTuple):
    programme: str
    kindergarten: str
    level: str
    nature: str
    area: str
    places: int
    sibling_tier: int | None


class PoolRow(NamedTuple):
    programme: str
    pool: str
    precedence: int
    places: int
    groups: str
    unclaimed: str


class ChildRow(NamedTuple):
    child: str
    family: str
    unit: str
    groups: str
    elder: str
    current: str


class WishRow(NamedTuple):
    child: str
    rank: int
    programme: str
    tier: int


class TicketRow(NamedTuple):
    child: str
    ticket: int


class WishesInOrder(ABC):
    """Rows of wishes that come in their order, and are made anew each time they are asked for."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __iter__(self) -> Iterator[WishRow]: ...


@dataclass(frozen=True)
class MarketFiles:
    """The rows of one market.  `tickets` is empty before the season's draw."""

    season: str
    round: str
    pair_rule: str
    programmes: Sequence[ProgrammeRow]
    children: Sequence[ChildRow]
    wishes: Sequence[WishRow] | WishesInOrder
    pools: Sequence[PoolRow] = ()
    tickets: Sequence[TicketRow] = ()

    def with_tickets(self, tickets: Iterable[TicketRow]) -> "MarketFiles":
        return replace(self, tickets=tuple(tickets))

    def files(self) -> dict[str, bytes]:
        """Each file's name and content; `pools.csv` and `tickets.csv` only where they have rows."""
        head: dict[str, object] = {
            "format": FORMAT,
            "season": self.season,
            "round": self.round,
            "seed": None,
            "pair_rule": self.pair_rule,
        }
        made = {
            "market.json": json.dumps(head, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(),
            "programmes.csv": _table(ProgrammeRow, sorted(self.programmes)),
            "children.csv": _table(ChildRow, sorted(self.children)),
            "wishes.csv": _table(
                WishRow, self.wishes if isinstance(self.wishes, WishesInOrder) else sorted(self.wishes)
            ),
        }
        if self.pools:
            made["pools.csv"] = _table(PoolRow, sorted(self.pools))
        if self.tickets:
            made["tickets.csv"] = _table(TicketRow, sorted(self.tickets))
        return made

    def written(self) -> "WrittenMarket":
        """The files without the rows, which take five times their memory."""
        return WrittenMarket(self.files(), len(self.children), len(self.wishes), len(self.tickets))


@dataclass(frozen=True)
class WrittenMarket:
    """The files of a market, and how many children, wishes and tickets they have."""

    files: Mapping[str, bytes]
    children: int
    wishes: int
    tickets: int


class WrittenPart(NamedTuple):
    """The rows of some children as they stand in the files, and how many wishes they have."""

    children: bytes
    wishes: bytes
    wishes_count: int


def write_part(children: Iterable[ChildRow], wishes: Iterable[WishRow]) -> WrittenPart:
    """The rows of some children, which are given in their order."""
    listed = list(wishes)
    return WrittenPart(_lines(children), _lines(listed), len(listed))


def join_parts(market: MarketFiles, children: int, parts: Sequence[WrittenPart]) -> WrittenMarket:
    """The files of a market whose children were written in parts, one after the other in their order; `market` has all other rows."""
    files = market.files()
    files["children.csv"] += b"".join(part.children for part in parts)
    files["wishes.csv"] += b"".join(part.wishes for part in parts)
    return WrittenMarket(files, children, sum(part.wishes_count for part in parts), len(market.tickets))


def _table(kind: type, rows: Iterable[Sequence]) -> bytes:
    remaining, blocks = iter(rows), []
    some: list[Sequence] = [kind._fields]  # type: ignore[attr-defined]
    while some:
        blocks.append(_lines(some))
        some = list(islice(remaining, ROWS_AT_ONCE))
    return b"".join(blocks)


def _lines(rows: Iterable[Sequence]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def pack(files: dict[str, bytes]) -> bytes:
    """A zip archive, sorted by name and with fixed times, so that the same files give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, SAME_TIME)
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, FASTEST)
    return target.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read(files: dict[str, bytes]) -> MarketFiles:
    """The rows of files that `MarketFiles.files` wrote."""
    head = json.loads(files["market.json"])
    programmes, pools = read_places(files)
    return MarketFiles(
        season=head["season"],
        round=head["round"],
        pair_rule=head["pair_rule"],
        programmes=programmes,
        children=[ChildRow(*row) for row in _rows(files, "children.csv")],
        wishes=[WishRow(c, int(rank), p, int(tier)) for c, rank, p, tier in _rows(files, "wishes.csv")],
        pools=pools,
        tickets=[TicketRow(child, int(ticket)) for child, ticket in _rows(files, "tickets.csv")],
    )


def read_places(files: Mapping[str, bytes]) -> tuple[list[ProgrammeRow], list[PoolRow]]:
    """The rows of the programmes and of their pools alone: a city has a hundred times as many of children and wishes."""
    programmes = [
        ProgrammeRow(p, k, level, nature, area, int(places), int(tier) if tier else None)
        for p, k, level, nature, area, places, tier in _rows(files, "programmes.csv")
    ]
    pools = [
        PoolRow(p, pool, int(order), int(places), groups, unclaimed)
        for p, pool, order, places, groups, unclaimed in _rows(files, "pools.csv")
    ]
    return programmes, pools


def without_ticket(packed: bytes) -> list[ChildRow]:
    """The children of a packed market who have no ticket in it."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = set(archive.namelist()) & {"children.csv", "tickets.csv"}
        files = {name: archive.read(name) for name in names}
    have = {row[0] for row in _rows(files, "tickets.csv")}
    return [ChildRow(*row) for row in _rows(files, "children.csv") if row[0] not in have]


def current_places(packed: bytes) -> dict[str, str]:
    """Child and programme, for the children of a packed market who held a place when it was frozen."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive, archive.open("children.csv") as children:
        rows = csv.DictReader(io.TextIOWrapper(children, "utf-8", newline=""))
        return {row["child"]: row["current"] for row in rows if row["current"]}


def _rows(files: Mapping[str, bytes], name: str) -> list[list[str]]:
    if name not in files:
        return []
    lines = csv.reader(io.StringIO(files[name].decode()))
    next(lines)
    return list(lines)
