"""Markets and results as CSV files: the only module that knows columns of text.

Files are UTF-8 with a header row and LF line ends, no quoting; rows are written in the order of their key columns.
Reading accepts any order and lists everything wrong by file, row (the header is row 1) and column.
"""

import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from allocation import lottery
from allocation.explain import REASONS
from allocation.faults import Fault, MarketFault
from allocation.market import LEVELS, NATURES, PAIR_RULES, Codes, Market
from allocation.outcome import STATES, Outcome
from allocation.quotas import Pool

FORMAT = "market/1"
COLUMNS = {
    "programmes.csv": ("programme", "kindergarten", "level", "nature", "area", "places", "sibling_tier"),
    "pools.csv": ("programme", "pool", "precedence", "places", "groups", "unclaimed"),
    "children.csv": ("child", "family", "unit", "groups", "elder", "current"),
    "wishes.csv": ("child", "rank", "programme", "tier"),
    "tickets.csv": ("child", "ticket"),
}
MARKET_FILES = ("market.json", *COLUMNS)
OPTIONAL_FILES = ("pools.csv", "tickets.csv")
RESULT_FILES = ("placements.csv", "cutoffs.csv", "reasons.csv")
_CODE = r'^[^\s",;\x00-\x1f\x7f]{1,64}$'
_MOST_LISTED = 100
_LARGEST_FILE = 8 << 30


def read_files(path: str | Path, names: Iterable[str]) -> dict[str, bytes]:
    """The named files that a folder or a zip holds (in a zip also under ``market/``). Raises MarketFault if it is neither."""
    path = Path(path)
    if path.is_dir():
        return {name: (path / name).read_bytes() for name in names if (path / name).is_file()}
    if not zipfile.is_zipfile(path):
        raise MarketFault([Fault(path.name, -1, "", "neither a folder nor a zip file")])
    with zipfile.ZipFile(path) as archive:
        inside = {entry.filename.removeprefix("market/"): entry for entry in archive.infolist()}
        if any(inside[name].file_size > _LARGEST_FILE for name in names if name in inside):
            raise MarketFault([Fault(path.name, -1, "", "a file of more than 8 GiB")])
        return {name: archive.read(inside[name]) for name in names if name in inside}


def read_market(path: str | Path) -> Market:
    """The market in a folder or zip, with its tickets: from ``tickets.csv``, else drawn from the seed, else none.

    Raises :class:`~allocation.faults.MarketFault` with everything found wrong.
    """
    return parse_market(read_files(path, MARKET_FILES))


def parse_market(files: Mapping[str, bytes]) -> Market:
    """As :func:`read_market`, from the files' bytes by name."""
    return _Reader(files).market()


class _Reader:
    """Reads the files one after the other and gathers what is wrong."""

    def __init__(self, files: Mapping[str, bytes]):
        self.files = files
        self.faults: list[Fault] = []

    def market(self) -> Market:
        for name in MARKET_FILES:
            if name not in self.files and name not in OPTIONAL_FILES:
                self.add(name, -1, "", "the file is missing")
        head = self._head()
        tables = {name: self._table(name) for name in COLUMNS if name in self.files}
        self._stop_if_faulty()
        programmes = self._programmes(tables["programmes.csv"])
        children = self._children(tables["children.csv"], programmes["codes"])
        pools, groups = self._pools(tables.get("pools.csv"), programmes["codes"], children["groups"])
        wishes = self._wishes(tables["wishes.csv"], children["codes"], programmes["codes"])
        ticket = self._tickets(tables.get("tickets.csv"), children["codes"])
        self._stop_if_faulty()
        columns = {**programmes["columns"], **children["columns"], **wishes["columns"]}
        market = self._checked(head, columns, ticket, pools, wishes["rows"], Codes(
            children=children["codes"], programmes=programmes["codes"], families=children["families"],
            kindergartens=programmes["kindergartens"], areas=programmes["areas"], groups=groups,
            units=children["units"],
        ))  # fmt: skip
        if ticket is None and head["seed"]:
            market = market.with_tickets(_draw(market, bytes.fromhex(head["seed"])))
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

    def _table(self, name: str):
        """The file as columns of text (an Arrow table), or ``None`` with faults added."""
        data = self.files[name]
        header = data[: data.find(b"\n") if b"\n" in data else len(data)].decode("utf-8-sig", "replace").split(",")
        before = len(self.faults)
        if b"\r" in data:
            self.add(name, -1, "", "line ends must be LF")
        for column in COLUMNS[name]:
            if header.count(column) != 1:
                self.add(
                    name, 1, column, "the column is missing" if column not in header else "the column stands twice"
                )
        for column in sorted(set(header) - set(COLUMNS[name])):
            self.add(name, 1, column, "an unknown column")
        if len(self.faults) > before:
            return None

        def note(row):
            self.add(name, row.number, "", f"{row.actual_columns} fields where {row.expected_columns} are needed")
            return "skip"

        try:
            return csv.read_csv(
                pa.BufferReader(data),
                csv.ReadOptions(use_threads=False, block_size=1 << 24),
                csv.ParseOptions(quote_char=False, ignore_empty_lines=False, invalid_row_handler=note),
                csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False),
            ).combine_chunks()
        except pa.ArrowInvalid:
            self._text_faults(name, data)
            return None

    def _text_faults(self, name: str, data: bytes) -> None:
        """Rows that are not UTF-8."""
        for row, line in enumerate(data.split(b"\n"), start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                self.add(name, row, "", "not UTF-8")

    def _codes(self, file: str, table, column: str, unique: bool = False) -> pa.Array:
        """A column of codes that stand for something; each is checked for what could not be written back."""
        values = _flat(table[column])
        self.rows(file, ~_numpy(pc.match_substring_regex(values, _CODE)), column, "missing, or not a code")
        if unique and len(pc.unique(values)) != len(values):
            place = _numpy(pc.index_in(values, pc.unique(values)))
            first = np.full(len(place), len(place))
            np.minimum.at(first, place, np.arange(len(place)))
            self.rows(file, first[place] != np.arange(len(place)), column, "the code stands twice")
        return values

    def _numbers(self, file: str, table, column: str, empty: int | None = None) -> np.ndarray:
        """A column of whole numbers from 0 (int64); an empty cell is ``empty`` where that is given."""
        values = _flat(table[column])
        good = _numpy(pc.match_substring_regex(values, r"^(0|[1-9][0-9]{0,9})$"))
        blank = _numpy(pc.equal(values, "")) & (empty is not None)
        self.rows(file, ~good & ~blank, column, "not a whole number")
        if not good.all():
            values = pc.if_else(pa.array(good), values, "0")
        numbers = _numpy(pc.cast(values, pa.int64()))
        return numbers if empty is None else np.where(blank, empty, numbers)

    def _choice(self, file: str, table, column: str, choices) -> np.ndarray:
        found = _lookup(_flat(table[column]), pa.array(choices))
        self.rows(file, found < 0, column, f"not one of {', '.join(choices)}")
        return found

    def _references(self, file: str, values, known, column: str, message: str, optional: bool = False) -> np.ndarray:
        """The index of each value in ``known`` (int32), -1 for an empty optional cell."""
        found = _lookup(values, known)
        missing = found < 0
        if optional:
            missing &= _numpy(pc.not_equal(values, ""))
        self.rows(file, missing, column, message)
        return found

    def _programmes(self, table) -> dict:
        file = "programmes.csv"
        codes = self._codes(file, table, "programme", unique=True)
        kindergartens, kindergarten = _dictionary(self._codes(file, table, "kindergarten"))
        areas, area = _dictionary(self._codes(file, table, "area"))
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
        families, family = _dictionary(self._codes(file, table, "family"))
        units, unit = _dictionary(_flat(table["unit"]), empty_is_none=True)
        group_start, groups = self._split(file, table)
        names, group = _dictionary(groups)
        current = self._references(file, _flat(table["current"]), programmes, "current", "no such programme", True)
        elder = self._references(file, _flat(table["elder"]), codes, "elder", "no such child", True)
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

    def _split(self, file: str, table) -> tuple[np.ndarray, pa.Array]:
        """The ``groups`` column as starts and one long column of codes."""
        values = _flat(table["groups"])
        parts = pc.split_pattern(pc.if_else(pc.equal(values, ""), None, values), ";")
        lengths = _numpy(pc.fill_null(pc.list_value_length(parts), 0))
        groups = parts.flatten()
        start = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        bad = ~_numpy(pc.match_substring_regex(groups, _CODE))
        row = np.repeat(np.arange(len(lengths)), lengths)
        self.rows(file, np.bincount(row[bad], minlength=len(lengths)) > 0, "groups", "a group that is not a code")
        return start, groups

    def _pools(self, table, programmes, groups) -> tuple[list[Pool], pa.Array]:
        """The listed pools, and all group codes: those of children, then those that only pools name."""
        if table is None:
            return [], groups
        file = "pools.csv"
        programme = self._references(file, _flat(table["programme"]), programmes, "programme", "no such programme")
        names = self._codes(file, table, "pool").to_pylist()
        precedence = self._numbers(file, table, "precedence")
        places = self._numbers(file, table, "places", empty=-1)
        self._choice(file, table, "unclaimed", ("open", "locked"))
        unclaimed = _flat(table["unclaimed"]).to_pylist()
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
        return pools, pa.array(list(number), pa.string())

    def _wishes(self, table, children, programmes) -> dict:
        file = "wishes.csv"
        child = self._references(file, _flat(table["child"]), children, "child", "no such child")
        programme = self._references(file, _flat(table["programme"]), programmes, "programme", "no such programme")
        rank = self._numbers(file, table, "rank")
        tier = self._numbers(file, table, "tier")
        rows = np.arange(len(child))
        key = (child.astype(np.int64) << 34) + rank
        if (np.diff(key) < 0).any():
            rows = np.argsort(key, kind="stable")
        offsets = np.concatenate(([0], np.cumsum(np.bincount(child[child >= 0], minlength=len(children)))))
        if (child >= 0).all():
            expected = rows * 0 + np.arange(len(rows)) - offsets[child[rows]] + 1
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


def _draw(market: Market, seed: bytes) -> np.ndarray:
    """The tickets of a market as read, without turning its codes into Python text."""
    families: Any = market.codes.families
    starts = np.frombuffer(families.buffers()[1], dtype=np.int32)[families.offset : families.offset + len(families) + 1]
    data = families.buffers()[2]
    texts = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    ranks = lottery.family_ranks(seed, texts, starts.astype(np.int64))
    return lottery.tickets(ranks[market.family], _order(market.codes.children))


def _flat(column) -> pa.Array:
    """A table's column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _numpy(values) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False)


def _lookup(values, known) -> np.ndarray:
    """Where each value stands in ``known`` (int32), -1 if it does not."""
    return _numpy(pc.fill_null(pc.index_in(values, known), -1))


def _dictionary(values: pa.Array, empty_is_none: bool = False) -> tuple[pa.Array, np.ndarray]:
    """The distinct codes in order of first appearance, and the index of each value (int32)."""
    if empty_is_none:
        values = pc.if_else(pc.equal(values, ""), None, values)
    encoded = values.dictionary_encode()
    return encoded.dictionary, _numpy(pc.fill_null(encoded.indices, -1))


def _order(codes) -> np.ndarray:
    """The order of codes by their UTF-8 bytes (int64)."""
    codes = codes if isinstance(codes, pa.Array) else pa.array(codes, pa.string())
    return _numpy(pc.sort_indices(codes)).astype(np.int64)


def market_files(market: Market) -> dict[str, bytes]:
    """The files of a market, by name. ``tickets.csv`` is there if tickets were given without a seed.

    The market's codes must name children and programmes; other columns without codes are written as numbers.
    """
    n, p = market.children, market.programmes
    code, row = _Names(market.codes), _order(market.codes.programmes)
    zero = np.zeros(p, dtype=np.int32)
    kindergarten = np.arange(p) if market.kindergarten is None else market.kindergarten
    programmes = code.take("programmes", row)
    files = {
        "market.json": lottery.canonical({
            "format": FORMAT, "season": market.season, "round": market.round, "seed": market.seed,
            "pair_rule": market.pair_rule,
        }),
        "programmes.csv": _csv("programmes.csv", [
            programmes,
            code.take("kindergartens", kindergarten[row]),
            _words(LEVELS, (zero + 1 if market.level is None else market.level)[row]),
            _words(NATURES, (zero if market.nature is None else market.nature)[row]),
            code.take("areas", (zero if market.area is None else market.area)[row]),
            market.places[row],
            _optional((zero - 1 if market.sibling_tier is None else market.sibling_tier)[row]),
        ]),
    }  # fmt: skip
    if market.pools.listed:
        files["pools.csv"] = _pools_csv(market, code)
    row = _order(market.codes.children)
    none, alone = np.full(n, -1), np.arange(n)
    files["children.csv"] = _csv("children.csv", [
        code.take("children", row),
        code.take("families" if market.family is not None else "children", (alone if market.family is None else market.family)[row]),
        code.take("units", (none if market.unit is None else market.unit)[row]),
        _groups_csv(market, code, row),
        code.take("children", (none if market.elder is None else market.elder)[row]),
        code.take("programmes", (none if market.current is None else market.current)[row]),
    ])  # fmt: skip
    wish, child, rank = _wish_rows(market, row)
    files["wishes.csv"] = _csv("wishes.csv", [
        code.take("children", child), rank, code.take("programmes", market.programme[wish]), market.tier[wish],
    ])  # fmt: skip
    if market.ticket is not None and market.seed is None:
        files["tickets.csv"] = _csv("tickets.csv", [code.take("children", row), market.ticket[row]])
    return files


def result_files(outcome: Outcome) -> dict[str, bytes]:
    """The three result files, by name."""
    market, cutoffs, why = outcome.market, outcome.cutoffs, outcome.reasons
    code, row = _Names(market.codes), _order(market.codes.children)
    pool_names = pa.array([market.pools.name(q) for q in range(market.pools.count)], pa.string())
    placements = [
        code.take("children", row),
        code.take("programmes", outcome.programme[row]),
        _optional(np.where(outcome.rank > 0, outcome.rank, -1)[row]),
        _take(pool_names, outcome.pool[row]),
    ]
    wish, child, rank = _wish_rows(market, row)
    reasons = [
        code.take("children", child), rank, code.take("programmes", market.programme[wish]),
        _take(pool_names, why.pool[wish]), _words(REASONS, why.code[wish]), why.tier[wish], why.ticket[child],
        _optional(why.cutoff_tier[wish]), _optional(why.cutoff_ticket[wish]),
    ]  # fmt: skip
    by_name = pa.table({"programme": code.take("programmes", market.pools.programme), "pool": pool_names})
    q = _numpy(pc.sort_indices(by_name, [("programme", "ascending"), ("pool", "ascending")])).astype(np.int64)
    line = cutoffs.state[q] == STATES.index("line")
    cutoff = [
        code.take("programmes", market.pools.programme[q]), _take(pool_names, q), market.pools.places[q], cutoffs.filled[q],
        _words(STATES, cutoffs.state[q]), *(_optional(np.where(line, column[q].astype(np.int64), -1))
        for column in (cutoffs.eligible, cutoffs.tier, cutoffs.ticket)),
    ]  # fmt: skip
    return {
        "placements.csv": _csv(("child", "programme", "rank", "pool"), placements),
        "cutoffs.csv": _csv(("programme", "pool", "places", "filled", "state", "eligible", "tier", "ticket"), cutoff),
        "reasons.csv": _csv(
            ("child", "rank", "programme", "pool", "reason", "tier", "ticket", "cutoff_tier", "cutoff_ticket"), reasons
        ),
    }


class _Names:
    """Codes as Arrow columns, made once; an index without a code is written as its number."""

    def __init__(self, codes: Codes):
        self.codes = codes
        self.made: dict[str, pa.Array] = {}

    def take(self, kind: str, index: np.ndarray) -> pa.Array:
        if kind not in self.made:
            values = getattr(self.codes, kind)
            self.made[kind] = (
                values if isinstance(values, pa.Array) else pa.array([str(v) for v in values], pa.string())
            )
        if not len(self.made[kind]):
            return pc.cast(_optional(index), pa.string())
        return _take(self.made[kind], index)


def _take(values: pa.Array, index: np.ndarray) -> pa.Array:
    """``values[index]``, empty where the index is -1."""
    return values.take(_optional(index))


def _optional(numbers: np.ndarray) -> pa.Array:
    """Numbers with an empty cell for -1."""
    return pa.array(numbers, mask=numbers < 0)


def _words(words, index: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int8)), pa.array(words)).cast(pa.string())


def _wish_rows(market: Market, children: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wishes child by child in this order: index, child and rank (from 1) of each row."""
    lengths = np.diff(market.offsets)[children]
    child = np.repeat(children, lengths)
    rank = np.arange(len(child)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
    return market.offsets[child] + rank - 1, child, rank


def _pools_csv(market: Market, code: _Names) -> bytes:
    programme = code.take("programmes", np.array([pool.programme for pool in market.pools.listed])).to_pylist()
    group = [
        ";".join(code.take("groups", np.array(pool.groups, dtype=np.int64)).to_pylist()) for pool in market.pools.listed
    ]
    rows = sorted(
        (name.encode(), pool.name.encode(), pool, groups)
        for name, pool, groups in zip(programme, market.pools.listed, group, strict=True)
    )
    return _csv("pools.csv", [
        pa.array([name.decode() for name, _, _, _ in rows]),
        pa.array([pool.name for _, _, pool, _ in rows]),
        pa.array([pool.precedence for _, _, pool, _ in rows]),
        pa.array([pool.places for _, _, pool, _ in rows]),
        pa.array([groups for _, _, _, groups in rows]),
        pa.array([pool.unclaimed for _, _, pool, _ in rows]),
    ])  # fmt: skip


def _groups_csv(market: Market, code: _Names, row: np.ndarray) -> pa.Array:
    if market.group_start is None or market.group is None or not len(market.group):
        return pa.nulls(len(row), pa.string())
    lists = pa.ListArray.from_arrays(pa.array(market.group_start.astype(np.int32)), code.take("groups", market.group))
    return pc.binary_join(lists, ";").take(pa.array(row))


def _csv(columns, values) -> bytes:
    """One file: the header, then the columns side by side."""
    names = COLUMNS[columns] if isinstance(columns, str) else columns
    arrays = [value if isinstance(value, pa.Array) else pa.array(value) for value in values]
    sink = pa.BufferOutputStream()
    sink.write((",".join(names) + "\n").encode())
    options = csv.WriteOptions(include_header=False, quoting_style="none", batch_size=1 << 16)
    csv.write_csv(pa.table(arrays, names=list(names)), sink, options)
    return sink.getvalue().to_pybytes()
