"""A market from data frames or mappings of columns: their cells become text, then the reader of CSV files checks them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from allocation.faults import Fault, MarketFault
from allocation.files import text_columns as text
from allocation.files.layout import COLUMNS
from allocation.files.reader import Reader, Table
from allocation.market import Market

Columns = dict[str, list[str]]

_NOT_A_TEXT = "\x00"  # no code and no number: the reader names the cell

#: Of each table the columns that may be left out, as functions of the other columns.
_DEFAULTS: dict[str, dict[str, Callable[[Columns], list[str]]]] = {
    "programmes": {
        "kindergarten": lambda columns: columns["programme"],
        "level": lambda columns: ["lower"] * len(columns["programme"]),
        "nature": lambda columns: ["public"] * len(columns["programme"]),
        "area": lambda columns: ["all"] * len(columns["programme"]),
        "sibling_tier": lambda columns: [""] * len(columns["programme"]),
    },
    "children": {
        "family": lambda columns: columns["child"],
        **dict.fromkeys(("unit", "groups", "elder", "current"), lambda columns: [""] * len(columns["child"])),
    },
    "wishes": {
        "rank": lambda columns: _ranks(columns["child"]),
        "tier": lambda columns: ["0"] * len(columns["child"]),
    },
    "pools": {
        "groups": lambda columns: [""] * len(columns["programme"]),
        "unclaimed": lambda columns: ["open"] * len(columns["programme"]),
    },
    "tickets": {},
}


def read_frames(frames: Mapping[str, Any], head: Mapping[str, Any]) -> Market:
    """The market of these tables by name; ``head`` as in ``market.json``. See :meth:`allocation.market.Market.from_frames`."""
    reader = Reader()
    try:
        tables = {f"{name}.csv": _table(reader, name, frame) for name, frame in frames.items()}
        return reader.market(reader.checked_head(head), tables)
    except MarketFault as fault:
        raise MarketFault(map(_fault_of_frame, fault.faults)) from None


def _fault_of_frame(fault: Fault) -> Fault:
    """The reader counts rows as in a file: the first after the header is row 2."""
    name = fault.file.removesuffix(".csv").removesuffix(".json")
    return Fault(name, fault.row - 2 if fault.row >= 2 else -1, fault.column, fault.message, fault.more)


def _table(reader: Reader, name: str, frame: Any) -> Table:
    given = list(frame) if isinstance(frame, Mapping) else list(frame.columns)
    file, known, optional = f"{name}.csv", COLUMNS[f"{name}.csv"], _DEFAULTS[name]
    for column in given:
        if column not in known:
            reader.add(file, -1, str(column), "an unknown column")
    missing = [column for column in known if column not in given and column not in optional]
    for column in missing:
        reader.add(file, -1, column, "the column is missing")
    columns = {column: [_cell(value) for value in _values(frame[column])] for column in known if column in given}
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        reader.add(file, -1, "", f"columns of different lengths: {', '.join(map(str, sorted(lengths)))}")
    if missing or len(lengths) > 1:
        return {}
    for column in known:
        if column not in columns:
            columns[column] = optional[column](columns)
    return {column: text.to_column(columns[column]) for column in known}


def _values(column: Any) -> Iterable[Any]:
    """The Python values of a list, a numpy array, or a column of pandas, polars or Arrow."""
    for method in ("tolist", "to_list", "to_pylist"):
        if hasattr(column, method):
            return list(getattr(column, method)())
    return list(column)


def _cell(value: Any) -> str:
    """The text of a cell; empty for ``None``, NaN and other values that are not equal to themselves."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(value, list | tuple | set | frozenset):
        return ";".join(map(_cell, value if isinstance(value, list | tuple) else sorted(value)))
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, bool):
        return _NOT_A_TEXT
    try:
        found = str(value)
        found.encode()
    except UnicodeEncodeError:
        return _NOT_A_TEXT
    return found


def _ranks(children: list[str]) -> list[str]:
    """1, 2, 3 … for the rows of each child in their order."""
    seen: dict[str, int] = {}
    ranks = []
    for child in children:
        seen[child] = seen.get(child, 0) + 1
        ranks.append(str(seen[child]))
    return ranks
