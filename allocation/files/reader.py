"""A market from its files or from data frames: every cell checked, every fault with file, row and column."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from allocation import lottery
from allocation.arrays import Array
from allocation.draw_form import DrawForm, DrawFormError
from allocation.faults import Fault, MarketFault, limit_faults, row_faults
from allocation.files import text_columns as text
from allocation.files.archive import read_files
from allocation.files.codes import is_code
from allocation.files.csv_rows import count_lists
from allocation.files.json_objects import is_digest, parse_object
from allocation.files.layout import COLUMNS, FORMAT, FORMAT_2, MARKET_FILES, OPTIONAL_FILES
from allocation.files.text_columns import Text
from allocation.market import LEVELS, NATURES, PAIR_RULES, Codes, Market
from allocation.pools import LARGEST_PRECEDENCE, Pool
from allocation.validation import WORST_TIER

MOST_PLACES = 1_000_000
LARGEST_RANK = 2**31 - 1
LARGEST_TICKET = 2**32 - 1
_TIERS = f"a tier is 0 to {WORST_TIER}"
DEFAULT_HEAD = {"format": FORMAT, "season": "", "round": "main", "seed": None, "pair_rule": "overhang"}
DEFAULT_HEAD_2 = {
    **DEFAULT_HEAD,
    "format": FORMAT_2,
    "after": 0,
    "children": None,
    "guaranteed": None,
    "draw_form": None,
}

_SMALL = 1 << 18  # bytes of all tables; below, starting threads takes longer than reading
Table = dict[str, Text]


def read_market(path: str | Path) -> Market:
    """The market in a folder or a zip file, with its tickets: from ``tickets.csv``, else drawn from the seed, else none.

    Raises :class:`~allocation.faults.MarketFault` with every fault found.
    """
    return parse_market(read_files(path, MARKET_FILES))


@dataclass(frozen=True)
class ParsedMarket:
    """A market with what its files hold beside it: the head, the tickets that children held before, the salts."""

    market: Market
    head: Mapping[str, Any]
    held: Array | None  # int64[n]: the ticket of ``tickets.csv``, -1 for none
    salts: Text | None  # 64 hex digits for each child; None in market/1


def parse_market(files: Mapping[str, bytes]) -> Market:
    """As :func:`read_market`, from the bytes of the files by name."""
    return parse_files(files).market


def parse_files(files: Mapping[str, bytes]) -> ParsedMarket:
    """As :func:`parse_market`, with what stands beside the market."""
    reader = Reader()
    for name in MARKET_FILES:
        if name not in files and name not in OPTIONAL_FILES:
            reader.add(name, -1, "", "the file is missing")
    head: Mapping[str, Any] = DEFAULT_HEAD
    if "market.json" in files:
        try:
            given = parse_object(files["market.json"], "market.json")
        except MarketFault as fault:
            reader.faults += fault.faults
        else:
            head = reader.checked_head({"format": None, **given})
    if ("salts.csv" in files) != (head["format"] == FORMAT_2):
        reader.add(
            "salts.csv", -1, "", "the file is missing" if "salts.csv" not in files else f"not a file of {FORMAT}"
        )
    names = [name for name in COLUMNS if name in files]
    if sum(len(files[name]) for name in names) < _SMALL:
        tables = {name: reader.table(name, files[name]) for name in names}
    else:
        with ThreadPoolExecutor() as threads:
            read = threads.map(lambda name: reader.table(name, files[name]), names)
            tables = dict(zip(names, read, strict=True))
            del read
    market = reader.market(head, tables)
    text.release_memory()
    return ParsedMarket(market, head, reader.held, reader.salts)


class Reader:
    """Reads tables of text into a market and collects faults."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.held: Array | None = None
        self.salts: Text | None = None

    def market(self, head: Mapping[str, Any], tables: dict[str, Table]) -> Market:
        """The market of these tables, by file name; ``tables`` is emptied, so that each is freed when it was used.

        Raises :class:`~allocation.faults.MarketFault`.
        """
        self._stop_if_faulty()
        programmes = self._programmes(tables.pop("programmes.csv"))
        children = self._children(tables.pop("children.csv"), programmes["codes"])
        pools, groups = self._pools(tables.pop("pools.csv", None), programmes["codes"], children["groups"])
        wishes = self._wishes(tables.pop("wishes.csv"), children["codes"], programmes["codes"])
        self.held = self._tickets(tables.pop("tickets.csv", None), children["codes"], head)
        self.salts = self._salts(tables.pop("salts.csv", None), children["codes"])
        current = children["columns"]["current"]
        counted = {
            "children": len(children["codes"]),
            "guaranteed": 0 if current is None else int((current >= 0).sum()),
        }
        for key, number in counted.items():
            if head.get(key, number) != number:
                self.add("market.json", -1, key, f"children.csv has {number}")
        ticket = None if self.held is None or (self.held < 0).any() else self.held
        self._stop_if_faulty()
        columns = {**programmes["columns"], **children["columns"], **wishes["columns"]}
        market = self._checked(head, columns, ticket, pools, wishes["rows"], Codes(
            children=children["codes"], programmes=programmes["codes"], families=children["families"],
            kindergartens=programmes["kindergartens"], areas=programmes["areas"], groups=groups,
            units=children["units"],
        ))  # fmt: skip
        if ticket is None and head["seed"]:
            market = market.with_tickets(
                draw_tickets(market, bytes.fromhex(head["seed"]), self.held, head.get("after", 0))
            )
        return market

    def _checked(
        self,
        head: Mapping[str, Any],
        columns: Mapping[str, Any],
        ticket: Array | None,
        pools: Sequence[Pool],
        wish_rows: Array,
        codes: Codes,
    ) -> Market:
        try:
            return Market.from_arrays(
                ticket=ticket, pools=pools, codes=codes, season=head["season"], round=head["round"],
                seed=head["seed"], pair_rule=head["pair_rule"], **columns,
            )  # fmt: skip
        except MarketFault as fault:
            rows = {"wishes": wish_rows}
            for one in fault.faults:
                row = int(rows[one.file][one.row]) if one.file in rows and one.row >= 0 else one.row
                file = "market.json" if one.file == "market" else f"{one.file}.csv"
                self.add(file, row + 2 if row >= 0 else -1, one.column, one.message, one.more)
            raise MarketFault(limit_faults(sorted(set(self.faults)))) from None

    def add(self, file: str, row: int, column: str, message: str, more: int = 0) -> None:
        """Note one fault."""
        self.faults.append(Fault(file, row, column, message, more))

    def rows(self, file: str, bad: npt.ArrayLike, column: str, message: str | Callable[[int], str]) -> None:
        """Note one fault for each row where ``bad`` is true; row 2 is the first after the header."""
        self.faults += row_faults(file, bad, column, message, first_row=2)

    def _stop_if_faulty(self) -> None:
        if self.faults:
            raise MarketFault(limit_faults(sorted(set(self.faults))))

    def checked_head(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The object of ``market.json`` with the default of each missing key; notes its faults."""
        file = "market.json"
        default = DEFAULT_HEAD_2 if given.get("format") == FORMAT_2 else DEFAULT_HEAD
        for key in sorted(set(given) - set(default)):
            self.add(file, -1, key if is_code(key) else "", "an unknown key")
        head = default | {key: value for key, value in given.items() if key in default}
        if head["format"] != default["format"]:
            self.add(file, -1, "format", f"{head['format']!s:.40} is neither {FORMAT} nor {FORMAT_2}")
        if default is DEFAULT_HEAD_2:
            self._check_declared(head)
        if head["seed"] is not None and not is_digest(head["seed"]):
            self.add(file, -1, "seed", "a seed is 64 hex digits in lower case, or null")
        if head["pair_rule"] not in PAIR_RULES:
            self.add(file, -1, "pair_rule", f"{head['pair_rule']!s:.40} is neither overhang nor close")
        for key in ("season", "round"):
            if not isinstance(head[key], str):
                self.add(file, -1, key, "not a text")
            elif head[key] and not is_code(head[key]):
                self.add(file, -1, key, "neither empty nor a code")
        return head

    def _check_declared(self, head: Mapping[str, Any]) -> None:
        """The keys that only ``market/2`` has."""
        for key in ("after", "children", "guaranteed"):
            if type(head[key]) is not int or not 0 <= head[key] <= LARGEST_TICKET:
                self.add("market.json", -1, key, f"not a whole number from 0 to {LARGEST_TICKET}")
        if head["draw_form"] is None:
            if head["seed"] is not None:
                self.add("market.json", -1, "draw_form", "there is a seed, and no form of it was declared")
            return
        try:
            if DrawForm.parse(head["draw_form"]).declared() != head["draw_form"]:
                self.add("market.json", -1, "draw_form", "not written in its one form")
        except DrawFormError as error:
            for fault in error.faults:
                self.add("market.json", -1, "draw_form", str(fault))

    def table(self, name: str, data: bytes) -> Table:
        """A CSV file as columns of text; empty if faults were noted."""
        header = data[: data.find(b"\n") if b"\n" in data else len(data)].decode("utf-8-sig", "replace").split(",")
        wrong = [(column, "an unknown column") for column in sorted(set(header) - set(COLUMNS[name]))]
        for column in COLUMNS[name]:
            if header.count(column) != 1:
                wrong.append((column, f"the column {'stands twice' if column in header else 'is missing'}"))
        if b"\r" in data:
            self.add(name, -1, "", "line ends must be LF")
        for column, message in wrong:
            self.add(name, 1, column if is_code(column) else "", message)
        if wrong or b"\r" in data:
            return {}
        found: list[Fault] = []
        try:
            return text.read_columns(data, header, lambda row, message: found.append(Fault(name, row, "", message)))
        except text.Unreadable as error:
            found.append(Fault(name, -1, "", str(error)))
            return {}
        finally:
            self.faults += limit_faults(sorted(found))

    def _codes(self, file: str, table: Table, column: str, unique: bool = False) -> Text:
        """A column of codes that stand for something; each is checked for what could not be written back."""
        values = table[column]
        self.rows(file, text.not_codes(values), column, "missing, or not a code")
        if unique:
            self.rows(file, text.duplicates(values), column, "the code stands twice")
        return values

    def _numbers(
        self,
        file: str,
        table: Table,
        column: str,
        most: int,
        message: str = "",
        empty: int | None = None,
        least: int = 0,
    ) -> Array:
        """A column of whole numbers from ``least`` to ``most`` (int64); an empty cell is ``empty`` where that is given.

        ``message`` says what is wrong with a number outside; without it the number and the bounds are named.
        """
        numbers, bad = text.numbers(table[column], empty)
        if not bad.any() and least <= numbers.min(initial=least) and numbers.max(initial=least) <= most:
            return numbers
        self.rows(file, bad, column, "not a whole number")
        outside = (numbers < least) | (numbers > most)
        if empty is not None:
            outside &= numbers != empty
        between = f"is not between {least} and {most}"
        self.rows(file, outside & ~bad, column, message or (lambda row: f"{numbers[row]} {between}"))
        return np.minimum(numbers, most)

    def _choice(self, file: str, table: Table, column: str, choices: Sequence[str]) -> Array:
        found = text.lookup(table[column], choices)
        self.rows(file, found < 0, column, f"not one of {', '.join(choices)}")
        return found

    def _references(
        self, file: str, values: Text, known: Text, column: str, message: str, optional: bool = False
    ) -> Array:
        """The index of each value in ``known`` (int32), -1 for an empty optional cell."""
        if optional and not text.lengths(values).any():
            return np.full(len(values), -1, dtype=np.int32)
        found = text.lookup(values, known)
        missing = found < 0
        if optional:
            missing &= text.lengths(values) > 0
        self.rows(file, missing, column, message)
        return found

    def _programmes(self, table: Table) -> dict[str, Any]:
        file = "programmes.csv"
        codes = self._codes(file, table, "programme", unique=True)
        kindergartens, kindergarten = text.dictionary(self._codes(file, table, "kindergarten"))
        areas, area = text.dictionary(self._codes(file, table, "area"))
        places = self._numbers(file, table, "places", MOST_PLACES, "more than a million places")
        return {
            "codes": codes,
            "kindergartens": kindergartens,
            "areas": areas,
            "columns": {
                "places": places,
                "kindergarten": kindergarten,
                "area": area,
                "level": self._choice(file, table, "level", LEVELS),
                "nature": self._choice(file, table, "nature", NATURES),
                "sibling_tier": self._numbers(file, table, "sibling_tier", WORST_TIER, _TIERS, empty=-1),
            },
        }

    def _children(self, table: Table, programmes: Text) -> dict[str, Any]:
        file = "children.csv"
        codes = self._codes(file, table, "child", unique=True)
        families, family = text.dictionary(self._codes(file, table, "family"))
        units, unit = text.dictionary(table["unit"])
        self.rows(file, text.not_codes(table["unit"]) & (unit >= 0), "unit", "not a code")
        group_start, groups = self._split(file, table)
        names, group = text.dictionary(groups)
        current = self._references(file, table["current"], programmes, "current", "no such programme", True)
        elder = self._references(file, table["elder"], codes, "elder", "no such child", True)
        return {
            "codes": codes,
            "families": families,
            "units": units,
            "groups": names,
            "columns": {
                "family": family,
                "unit": unit if len(units) else None,
                "groups": (group_start, group) if len(names) else None,
                "elder": elder if (elder >= 0).any() else None,
                "current": current if (current >= 0).any() else None,
            },
        }

    def _split(self, file: str, table: Table) -> tuple[Array, Text]:
        """The ``groups`` column as starts and one long column of codes."""
        start, groups = text.split(table["groups"])
        lengths = np.diff(start)
        bad = text.not_codes(groups)
        row = np.repeat(np.arange(len(lengths)), lengths)
        self.rows(file, np.bincount(row[bad], minlength=len(lengths)) > 0, "groups", "a group that is not a code")
        return start, groups

    def _pools(self, table: Table | None, programmes: Text, groups: Text) -> tuple[list[Pool], Text]:
        """The listed pools, and all group codes: those of children, then those that only pools name."""
        if table is None:
            return [], groups
        file = "pools.csv"
        programme = self._references(file, table["programme"], programmes, "programme", "no such programme")
        names = self._codes(file, table, "pool").to_pylist()
        precedence = self._numbers(file, table, "precedence", LARGEST_PRECEDENCE, f"more than {LARGEST_PRECEDENCE}")
        places = self._numbers(file, table, "places", MOST_PLACES, "more than a million places", empty=-1)
        self._choice(file, table, "unclaimed", ("open", "locked"))
        unclaimed = table["unclaimed"].to_pylist()
        start, listed = self._split(file, table)
        self._stop_if_faulty()
        number = {code: index for index, code in enumerate(groups.to_pylist())}
        group = [number.setdefault(code, len(number)) for code in listed.to_pylist()]
        pools = [
            Pool(
                programme=int(programme[row]),
                name=names[row],
                precedence=int(precedence[row]),
                places=None if places[row] < 0 else int(places[row]),
                groups=tuple(group[start[row] : start[row + 1]]),
                unclaimed=unclaimed[row],
            )
            for row in range(len(names))
        ]
        return pools, list(number)

    def _wishes(self, table: Table, children: Text, programmes: Text) -> dict[str, Any]:
        file = "wishes.csv"
        child = text.lookup_in_order(table.pop("child"), children)
        self.rows(file, child < 0, "child", "no such child")
        programme = self._references(file, table.pop("programme"), programmes, "programme", "no such programme")
        rank = self._numbers(file, table, "rank", LARGEST_RANK, f"a rank is 1 to {LARGEST_RANK}", least=1)
        tier = self._numbers(file, table, "tier", WORST_TIER)
        rows, offsets = np.arange(len(child)), np.zeros(len(children) + 1, dtype=np.int64)
        if count_lists(child, rank, offsets):  # as in files that we wrote
            return {"rows": rows, "columns": {"offsets": offsets, "programme": programme, "tier": tier}}
        key = (child.astype(np.int64) << 34) + rank
        if (np.diff(key) < 0).any():
            rows = np.argsort(key, kind="stable")
        again = np.zeros(len(rows), dtype=bool)
        again[rows[1:]] = (np.diff(key[rows]) == 0) & (child[rows[1:]] >= 0)
        self.rows(file, again, "rank", "the child has this rank twice")
        offsets = np.concatenate(([0], np.cumsum(np.bincount(child[child >= 0], minlength=len(children)))))
        columns = {"offsets": offsets, "programme": programme[rows], "tier": tier[rows]}
        if (child >= 0).all() and not np.array_equal(rank[rows], np.arange(len(rows)) - offsets[child[rows]] + 1):
            columns["rank"] = rank[rows]
        return {"rows": rows, "columns": columns}

    def _tickets(self, table: Table | None, children: Text, head: Mapping[str, Any]) -> Array | None:
        """The ticket that each child holds (int64[n]); -1 for none, which only ``market/2`` allows."""
        if table is None:
            return None
        file = "tickets.csv"
        child = self._references(
            file, self._codes(file, table, "child", unique=True), children, "child", "no such child"
        )
        number = self._numbers(file, table, "ticket", LARGEST_TICKET, f"a ticket is below {LARGEST_TICKET + 1}")
        ticket = np.full(len(children), -1, dtype=np.int64)
        ticket[child[child >= 0]] = number[child >= 0]
        if head["format"] == FORMAT:
            self.rows("children.csv", ticket < 0, "child", "the child has no ticket in tickets.csv")
        elif head["draw_form"] is not None:
            self.rows(file, number > head["after"], "ticket", "after the last ticket of the season (after)")
        order = np.argsort(number, kind="stable")
        again = np.zeros(len(number), dtype=bool)
        again[order[1:]] = np.diff(number[order]) == 0
        self.rows(file, again, "ticket", "the ticket stands twice")
        return ticket

    def _salts(self, table: Table | None, children: Text) -> Text | None:
        """The salt of each child, in the order of the children."""
        if table is None:
            return None
        file = "salts.csv"
        child = self._references(
            file, self._codes(file, table, "child", unique=True), children, "child", "no such child"
        )
        self.rows(file, text.not_digests(table["salt"]), "salt", "not 64 hex digits in lower case")
        row = np.full(len(children), -1, dtype=np.int64)
        row[child[child >= 0]] = np.flatnonzero(child >= 0)
        self.rows("children.csv", row < 0, "child", "the child has no salt in salts.csv")
        return None if (row < 0).any() else text.take(table["salt"], row)


def draw_tickets(market: Market, seed: bytes, held: Array | None = None, after: int = 0) -> Array:
    """The tickets (uint32[n]) of a market as read, without turning its codes into Python text.

    ``held`` (int64[n]) are tickets of earlier draws, -1 for a child without one. The seed draws these children alone;
    their tickets begin at ``after + 1``.
    """
    order = text.sort_order(market.codes.children)
    if held is None or (held < 0).all():
        return lottery.tickets(family_ranks(market, seed), order, after)
    joining = order[held[order] < 0]
    drawn = np.sort(joining)
    ranks = family_ranks(market, seed)[drawn]
    found = held.astype(np.uint32)
    found[drawn] = lottery.tickets(ranks, np.searchsorted(drawn, joining), after)
    return found


def family_ranks(market: Market, seed: bytes) -> Array:
    """For each child the place of its family (int64[n], from 0) in the order of the families' digests."""
    return np.asarray(lottery.family_ranks(seed, *text.texts(market.codes.families))[market.family])
