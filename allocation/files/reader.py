"""A market from its files: every cell checked, everything wrong listed by file, row and column."""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from allocation import lottery
from allocation.faults import Fault, MarketFault
from allocation.files import text_columns as text
from allocation.files.layout import COLUMNS, FORMAT, MARKET_FILES, OPTIONAL_FILES, read_files
from allocation.files.text_columns import Text
from allocation.market import LEVELS, NATURES, PAIR_RULES, Codes, Market
from allocation.pools import Pool

_MOST_LISTED = 100
_SMALL = 1 << 18  # bytes of all tables; below, starting threads takes longer than reading


def read_market(path: str | Path) -> Market:
    """The market in a folder or zip, with its tickets: from ``tickets.csv``, else drawn from the seed, else none.

    Raises :class:`~allocation.faults.MarketFault` with everything found wrong.
    """
    return parse_market(read_files(path, MARKET_FILES))


def parse_market(files: Mapping[str, bytes]) -> Market:
    """As :func:`read_market`, from the files' bytes by name."""
    market = _Reader(files).market()
    text.give_back_memory()
    return market


class _Reader:
    """Reads the files and gathers what is wrong."""

    def __init__(self, files: Mapping[str, bytes]):
        self.files = files
        self.faults: list[Fault] = []

    def market(self) -> Market:
        for name in MARKET_FILES:
            if name not in self.files and name not in OPTIONAL_FILES:
                self.add(name, -1, "", "the file is missing")
        head = self._head()
        given = [name for name in COLUMNS if name in self.files]
        if sum(len(self.files[name]) for name in given) < _SMALL:
            tables = {name: self._table(name) for name in given}
        else:
            with ThreadPoolExecutor() as threads:
                tables = dict(zip(given, threads.map(self._table, given), strict=True))
        self._stop_if_faulty()
        programmes = self._programmes(tables.pop("programmes.csv"))
        children = self._children(tables.pop("children.csv"), programmes["codes"])
        pools, groups = self._pools(tables.get("pools.csv"), programmes["codes"], children["groups"])
        wishes = self._wishes(tables.pop("wishes.csv"), children["codes"], programmes["codes"])
        ticket = self._tickets(tables.get("tickets.csv"), children["codes"])
        self._stop_if_faulty()
        columns = {**programmes["columns"], **children["columns"], **wishes["columns"]}
        market = self._checked(head, columns, ticket, pools, wishes["rows"], Codes(
            children=children["codes"], programmes=programmes["codes"], families=children["families"],
            kindergartens=programmes["kindergartens"], areas=programmes["areas"], groups=groups,
            units=children["units"],
        ))  # fmt: skip
        if ticket is None and head["seed"]:
            market = market.with_tickets(draw_tickets(market, bytes.fromhex(head["seed"])))
        return market

    def _checked(self, head, columns, ticket, pools, wish_rows, codes) -> Market:
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
                self.add(file, row + 2 if row >= 0 else -1, one.column, one.message)
            raise MarketFault(sorted(set(self.faults))) from None

    def add(self, file: str, row: int, column: str, message: str) -> None:
        self.faults.append(Fault(file, row, column, message))

    def rows(self, file: str, bad, column: str, message: str) -> None:
        """One fault for each row where ``bad`` is true."""
        for row in np.flatnonzero(bad)[:_MOST_LISTED].tolist():
            self.add(file, row + 2, column, message)

    def _stop_if_faulty(self) -> None:
        if self.faults:
            raise MarketFault(sorted(set(self.faults)))

    def _head(self) -> dict:
        head = {"format": None, "season": "", "round": "main", "seed": None, "pair_rule": "overhang"}
        if "market.json" not in self.files:
            return head
        try:
            given = json.loads(self.files["market.json"])
        except ValueError as error:
            self.add("market.json", -1, "", f"not JSON: {error}")
            return head
        if not isinstance(given, dict):
            self.add("market.json", -1, "", "not a JSON object")
            return head
        for key in sorted(set(given) - set(head)):
            self.add("market.json", -1, key, "an unknown key")
        head |= {key: value for key, value in given.items() if key in head}
        if head["format"] != FORMAT:
            self.add("market.json", -1, "format", f"{head['format']} is not {FORMAT}")
        if head["seed"] is not None and not re.fullmatch("[0-9a-f]{64}", str(head["seed"])):
            self.add("market.json", -1, "seed", "a seed is 64 hex digits in lower case, or null")
        if head["pair_rule"] not in PAIR_RULES:
            self.add("market.json", -1, "pair_rule", f"{head['pair_rule']} is neither overhang nor close")
        for key in ("season", "round"):
            if not isinstance(head[key], str):
                self.add("market.json", -1, key, "not a text")
        return head

    def _table(self, name: str) -> dict[str, Text]:
        """The file as columns of text; empty with faults added."""
        data = self.files[name]
        header = data[: data.find(b"\n") if b"\n" in data else len(data)].decode("utf-8-sig", "replace").split(",")
        wrong = [(column, "an unknown column") for column in set(header) - set(COLUMNS[name])]
        for column in COLUMNS[name]:
            if header.count(column) != 1:
                wrong.append((column, f"the column {'stands twice' if column in header else 'is missing'}"))
        if b"\r" in data:
            self.add(name, -1, "", "line ends must be LF")
        for column, message in wrong:
            self.add(name, 1, column, message)
        if wrong or b"\r" in data:
            return {}
        try:
            return text.read_columns(data, header, lambda row, message: self.add(name, row, "", message))
        except text.Unreadable as error:
            self.add(name, -1, "", str(error))
            return {}

    def _codes(self, file: str, table, column: str, unique: bool = False) -> Text:
        """A column of codes that stand for something; each is checked for what could not be written back."""
        values = table[column]
        self.rows(file, text.not_codes(values), column, "missing, or not a code")
        if unique:
            self.rows(file, text.stands_twice(values), column, "the code stands twice")
        return values

    def _numbers(self, file: str, table, column: str, empty: int | None = None) -> np.ndarray:
        """A column of whole numbers from 0 (int64); an empty cell is ``empty`` where that is given."""
        numbers, bad = text.numbers(table[column], empty)
        self.rows(file, bad, column, "not a whole number")
        return numbers

    def _choice(self, file: str, table, column: str, choices) -> np.ndarray:
        found = text.lookup(table[column], choices)
        self.rows(file, found < 0, column, f"not one of {', '.join(choices)}")
        return found

    def _references(self, file: str, values, known, column: str, message: str, optional: bool = False) -> np.ndarray:
        """The index of each value in ``known`` (int32), -1 for an empty optional cell."""
        found = text.lookup(values, known)
        missing = found < 0
        if optional:
            missing &= text.lengths(values) > 0
        self.rows(file, missing, column, message)
        return found

    def _programmes(self, table) -> dict:
        file = "programmes.csv"
        codes = self._codes(file, table, "programme", unique=True)
        kindergartens, kindergarten = text.dictionary(self._codes(file, table, "kindergarten"))
        areas, area = text.dictionary(self._codes(file, table, "area"))
        places = self._numbers(file, table, "places")
        self.rows(file, places > 1_000_000, "places", "more than a million places")
        return {
            "codes": codes,
            "kindergartens": kindergartens,
            "areas": areas,
            "columns": {
                "places": np.minimum(places, 1_000_000),
                "kindergarten": kindergarten,
                "area": area,
                "level": self._choice(file, table, "level", LEVELS),
                "nature": self._choice(file, table, "nature", NATURES),
                "sibling_tier": np.minimum(self._numbers(file, table, "sibling_tier", empty=-1), 99),
            },
        }

    def _children(self, table, programmes) -> dict:
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

    def _split(self, file: str, table) -> tuple[np.ndarray, Text]:
        """The ``groups`` column as starts and one long column of codes."""
        start, groups = text.split(table["groups"])
        lengths = np.diff(start)
        bad = text.not_codes(groups)
        row = np.repeat(np.arange(len(lengths)), lengths)
        self.rows(file, np.bincount(row[bad], minlength=len(lengths)) > 0, "groups", "a group that is not a code")
        return start, groups

    def _pools(self, table, programmes, groups) -> tuple[list[Pool], Text]:
        """The listed pools, and all group codes: those of children, then those that only pools name."""
        if table is None:
            return [], groups
        file = "pools.csv"
        programme = self._references(file, table["programme"], programmes, "programme", "no such programme")
        names = self._codes(file, table, "pool").to_pylist()
        precedence = self._numbers(file, table, "precedence")
        places = self._numbers(file, table, "places", empty=-1)
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

    def _wishes(self, table, children, programmes) -> dict:
        file = "wishes.csv"
        child = self._references(file, table["child"], children, "child", "no such child")
        programme = self._references(file, table["programme"], programmes, "programme", "no such programme")
        rank = self._numbers(file, table, "rank")
        tier = self._numbers(file, table, "tier")
        rows = np.arange(len(child))
        key = (child.astype(np.int64) << 34) + rank
        if (np.diff(key) < 0).any():
            rows = np.argsort(key, kind="stable")
        offsets = np.concatenate(([0], np.cumsum(np.bincount(child[child >= 0], minlength=len(children)))))
        if (child >= 0).all():
            expected = np.arange(len(rows)) - offsets[child[rows]] + 1
            wrong = np.zeros(len(rows), dtype=bool)
            wrong[rows] = rank[rows] != expected
            self.rows(file, wrong, "rank", "ranks run 1, 2, 3 … without a gap or a repetition")
        columns = {"offsets": offsets, "programme": programme[rows], "tier": np.minimum(tier[rows], 99)}
        return {"rows": rows, "columns": columns}

    def _tickets(self, table, children) -> np.ndarray | None:
        if table is None:
            return None
        file = "tickets.csv"
        child = self._references(
            file, self._codes(file, table, "child", unique=True), children, "child", "no such child"
        )
        number = self._numbers(file, table, "ticket")
        self.rows(file, number >= 2**32, "ticket", "a ticket is below 4294967296")
        ticket = np.full(len(children), -1, dtype=np.int64)
        ticket[child[child >= 0]] = number[child >= 0]
        self.rows("children.csv", ticket < 0, "child", "the child has no ticket in tickets.csv")
        order = np.argsort(number, kind="stable")
        again = np.zeros(len(number), dtype=bool)
        again[order[1:]] = np.diff(number[order]) == 0
        self.rows(file, again, "ticket", "the ticket stands twice")
        return ticket


def draw_tickets(market: Market, seed: bytes) -> np.ndarray:
    """The tickets (uint32[n]) of a market as read, without turning its codes into Python text."""
    ranks = lottery.family_ranks(seed, *text.texts(market.codes.families))
    return lottery.tickets(ranks[market.family], text.order(market.codes.children))
