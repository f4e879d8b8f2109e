"""A public file as values; what is no public file is refused with its faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from allocation import lottery
from allocation.arrays import Array
from allocation.faults import Fault, MarketFault
from allocation.files import text_columns as text
from allocation.files.archive import Archive, read_archive
from allocation.files.bundle import DrawRecord2, draw_record
from allocation.files.commitments import PUBLIC_FILES
from allocation.files.json_objects import is_digest, is_text, parse_object
from allocation.files.layout import COLUMNS, FORMAT_2
from allocation.files.public_file import FORMAT, HIDDEN, PUBLIC_COLUMNS, SHOWN
from allocation.files.publication import ENTRY_BYTES, OUTCOMES
from allocation.files.reader import ParsedMarket, parse_files
from allocation.market import Market
from allocation.outcome import STATES

KNOWN = ("draw.json", "public.json", *PUBLIC_FILES, *PUBLIC_COLUMNS)
_OPTIONAL = ("pools.csv", "digests.csv")
_CODE_DIGITS = 2 * ENTRY_BYTES
_EMPTY_TABLES = ("children.csv", "wishes.csv", "salts.csv")


class BlockRow(NamedTuple):
    """One row of ``blocks.csv``; numbers of an empty cell are ``None``."""

    code: str
    programme: str
    pools: tuple[str, ...]
    hidden: bool
    places: int
    filled: int
    applicants: int
    state: str
    line_position: int | None
    line: tuple[int, int, int] | None  # eligible, tier, ticket
    reasons: tuple[str, ...]
    line_commitment: str


@dataclass(frozen=True)
class Orders:
    """``orders.csv``, row by row. ``entry`` and ``nullifier`` are hex digits as bytes; no nullifier is empty."""

    block: Array  # the number in the first column
    position: Array
    entry: Array  # S32
    outcome: Array  # index in OUTCOMES
    nullifier: Array  # S32

    def begins(self, blocks: int) -> Array:
        """Where the rows of block ``i`` (from 0) begin, in a file whose rows are in the order of the blocks."""
        return np.searchsorted(self.block, np.arange(1, blocks + 2))


@dataclass(frozen=True)
class PublicFile:
    """An opened public file."""

    files: Mapping[str, bytes]
    unknown: tuple[str, ...]
    compressed: bool
    draw: DrawRecord2
    about: Mapping[str, Any]  # public.json
    head: Mapping[str, Any]  # market.json
    market: Market  # the programmes and pools, without children
    blocks: Sequence[BlockRow]
    orders: Orders
    digests: Sequence[tuple[str, int]] | None

    @property
    def run(self) -> str:
        """The number of the run as it is hashed."""
        return str(self.about["run"])

    @property
    def root(self) -> str:
        """The Merkle root of the children's facts."""
        return str(self.about["children_root"])

    @cached_property
    def begins(self) -> Array:
        """As :meth:`Orders.begins`."""
        return self.orders.begins(len(self.blocks))

    @cached_property
    def programme_numbers(self) -> dict[str, int]:
        """The index of each programme by its code."""
        return {str(code): number for number, code in enumerate(self.market.codes.programmes)}

    @cached_property
    def block_of(self) -> dict[tuple[str, str], int]:
        """The index of the block of each pool, by the codes of programme and pool."""
        return {(row.programme, pool): at for at, row in enumerate(self.blocks) for pool in row.pools}

    @cached_property
    def rows_by_entry(self) -> dict[bytes, int]:
        """The row of each entry."""
        return {entry: row for row, entry in enumerate(self.orders.entry.tolist())}

    @cached_property
    def rows_by_seat(self) -> dict[bytes, int]:
        """The row of each nullifier."""
        return {seat: row for row, seat in enumerate(self.orders.nullifier.tolist()) if seat}

    def block_of_seat(self, seat: str | None) -> int | None:
        """The index of the block in which a nullifier stands; none if it, or its block, is not in the file."""
        row = None if seat is None else self.rows_by_seat.get(seat.encode())
        block = None if row is None else int(self.orders.block[row]) - 1
        return block if block is not None and 0 <= block < len(self.blocks) else None

    @cached_property
    def tickets_before(self) -> dict[str, tuple[int, int]]:
        """For each digest the children of the families before it, and of its own family."""
        found, before = {}, 0
        for digest, children in self.digests or ():
            found[digest] = (before, children)
            before += children
        return found


def is_public(path: str | Path) -> bool:
    """Whether a file or folder is a public file and not a full bundle. Raises as :func:`open_public`."""
    return "public.json" in read_archive(Path(path), {"public.json"}).contents


def open_public(path: str | Path) -> PublicFile:
    """Open a public file, a zip file or a folder. Raises :class:`~allocation.faults.MarketFault` if it is none."""
    return read_public(read_archive(path, set(KNOWN)), Path(path).name)


def read_public(archive: Archive, name: str) -> PublicFile:
    """As :func:`open_public`, from the entries of the zip file."""
    found = archive.contents
    missing = [each for each in KNOWN if each not in found and each not in _OPTIONAL]
    if missing:
        raise MarketFault([Fault(name, -1, "", f"{each} is missing") for each in missing])
    record = draw_record(parse_object(found["draw.json"], "draw.json"))
    if not isinstance(record, DrawRecord2):
        raise MarketFault([Fault("draw.json", -1, "format", "not draw/2")])
    about = _about(parse_object(found["public.json"], "public.json"))
    parsed = _market(found)
    return PublicFile(
        files=found, unknown=archive.unknown, compressed=archive.compressed, draw=record, about=about,
        head=parse_object(found["market.json"], "market.json"), market=parsed.market,
        blocks=_blocks(_table(found, "blocks.csv"), about["merged"]), orders=_orders(_table(found, "orders.csv")),
        digests=_digests(_table(found, "digests.csv")) if "digests.csv" in found else None,
    )  # fmt: skip


def _about(given: dict[str, Any]) -> dict[str, Any]:
    def number(value: object) -> bool:
        return type(value) is int and 0 <= value < 2**53

    merged = given.get("merged")
    good = {
        "format": given.get("format") == FORMAT, "run": number(given.get("run")),
        "children": number(given.get("children")), "children_root": is_digest(given.get("children_root")),
        "replays": given.get("replays") is None or number(given["replays"]),
        "merged": isinstance(merged, dict) and all(
            isinstance(pools, list) and len(pools) > 1 and all(map(is_text, pools)) for pools in merged.values()
        ),
    }  # fmt: skip
    wrong = [key for key, right in good.items() if not right] + sorted(set(given) - set(good))
    if wrong:
        raise MarketFault([Fault("public.json", -1, key if key in good else "", "not as in public/2") for key in wrong])
    return given


def _market(found: Mapping[str, bytes]) -> ParsedMarket:
    """Programmes and pools, read as those of a market without children."""
    head = parse_object(found["market.json"], "market.json")
    if head.get("format") != FORMAT_2:
        raise MarketFault([Fault("market.json", -1, "format", f"not {FORMAT_2}")])
    files = {name: found[name] for name in PUBLIC_FILES if name in found}
    head |= {key: 0 for key in ("children", "guaranteed") if type(head.get(key)) is int}
    files["market.json"] = lottery.canonical({**head, "seed": None})
    for name in _EMPTY_TABLES:
        files[name] = (",".join(COLUMNS[name]) + "\n").encode()
    return parse_files(files)


class _Columns:
    """The columns of one file, with the faults of its cells."""

    def __init__(self, name: str, columns: Mapping[str, text.Text]) -> None:
        self.name, self.columns = name, columns

    def refuse(self, bad: Array, column: str, message: str) -> None:
        """Refuse the file if a row is bad."""
        rows = np.flatnonzero(bad)
        if len(rows):
            raise MarketFault([Fault(self.name, int(rows[0]) + 2, column, message)])

    def numbers(self, column: str, empty: bool = False) -> Array:
        """A column of whole numbers, -1 for an empty cell."""
        found, bad = text.numbers(self.columns[column], -1 if empty else None)
        self.refuse(bad, column, "not a whole number")
        return found

    def choices(self, column: str, choices: Sequence[str]) -> Array:
        """A column of words."""
        found = text.lookup(self.columns[column], choices)
        self.refuse(found < 0, column, f"not one of {', '.join(choices)}")
        return found

    def codes(self, column: str, empty: bool = False) -> Array:
        """A column of hex digits (S32)."""
        data, starts = text.texts(self.columns[column])
        size = np.diff(starts)
        hexadecimal = np.isin(data, np.frombuffer(b"0123456789abcdef", dtype=np.uint8))
        if not hexadecimal.all():
            row = int(np.searchsorted(starts, int(np.argmin(hexadecimal)), side="right")) - 1
            self.refuse(np.arange(len(size)) == row, column, f"not {_CODE_DIGITS} hex digits")
        self.refuse((size != _CODE_DIGITS) & ~((size == 0) & empty), column, f"not {_CODE_DIGITS} hex digits")
        found = np.zeros(len(size), dtype=f"S{_CODE_DIGITS}")
        found[size > 0] = np.ascontiguousarray(data).view(f"S{_CODE_DIGITS}")
        return found

    def texts(self, column: str) -> list[str]:
        """A column of texts."""
        found: list[str] = self.columns[column].to_pylist()
        return found


def _table(found: Mapping[str, bytes], name: str) -> _Columns:
    faults: list[Fault] = []
    header = found[name].split(b"\n", 1)[0]
    if header != ",".join(PUBLIC_COLUMNS[name]).encode() or b"\r" in found[name]:
        raise MarketFault([Fault(name, 1, "", f"the columns are not {','.join(PUBLIC_COLUMNS[name])}")])
    try:
        columns = text.read_columns(
            found[name], PUBLIC_COLUMNS[name], lambda row, message: faults.append(Fault(name, row, "", message))
        )
    except text.Unreadable as error:
        raise MarketFault([Fault(name, -1, "", str(error))]) from None
    if faults:
        raise MarketFault(faults[:1])
    return _Columns(name, columns)


def _blocks(table: _Columns, merged: Mapping[str, Sequence[str]]) -> list[BlockRow]:
    state = table.texts("state")
    table.refuse(np.array([each not in ("", *STATES) for each in state], dtype=bool), "state", "not a state")
    numbers = {
        name: table.numbers(name, empty=name.startswith("line_")).tolist()
        for name in ("places", "filled", "applicants", "line_position", "line_eligible", "line_tier", "line_ticket")
    }
    hidden = table.choices("order", (SHOWN, HIDDEN)).tolist()
    commitment = table.texts("line_commitment")
    table.refuse(np.array([each != "" and not is_digest(each) for each in commitment], dtype=bool), "line_commitment", "not 64 hex digits")  # fmt: skip
    rows = []
    for at, (code, programme, pool, reason) in enumerate(
        zip(table.texts("block"), table.texts("programme"), table.texts("pool"), table.texts("reason"), strict=True)
    ):
        line = tuple(numbers[name][at] for name in ("line_eligible", "line_tier", "line_ticket"))
        position = numbers["line_position"][at]
        rows.append(BlockRow(
            code, programme, (pool,) if pool else tuple(merged.get(code, ())), bool(hidden[at]), numbers["places"][at],
            numbers["filled"][at], numbers["applicants"][at], state[at], None if position < 0 else position,
            None if -1 in line else (line[0], line[1], line[2]), tuple(reason.split(";")) if reason else (),
            commitment[at],
        ))  # fmt: skip
    return rows


def _orders(table: _Columns) -> Orders:
    return Orders(
        block=table.numbers("block"), position=table.numbers("position"), entry=table.codes("entry"),
        outcome=table.choices("outcome", OUTCOMES), nullifier=table.codes("nullifier", empty=True),
    )  # fmt: skip


def _digests(table: _Columns) -> list[tuple[str, int]]:
    table.refuse(text.not_digests(table.columns["digest"]), "digest", "not 64 hex digits")
    return list(zip(table.texts("digest"), table.numbers("children").tolist(), strict=True))


__all__ = ["KNOWN", "BlockRow", "Orders", "PublicFile", "is_public", "open_public", "read_public"]
