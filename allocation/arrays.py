"""The arrays of a market: contiguous, of one type each, and read-only.

One type each, because numba compiles a function once for every combination of argument types. Read-only, because
compiled code does not check an index: a value changed after the check could read or write outside an array.
"""

from collections.abc import Iterator, Mapping
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from allocation.faults import Fault, row_faults

Array = npt.NDArray[Any]
Int = int | np.signedinteger[Any]

MOST_LABELS = 1 << 26  # of children, units and groups; a child's index shares a 64-bit key with its ticket
_INT32 = 2**31 - 1

#: Of each column its type, the smallest and the largest value, and the table that it belongs to.
COLUMNS: dict[str, tuple[type[np.generic], int, int, str]] = {
    "offsets": (np.int64, -(2**63), 2**63 - 1, "children"),
    "programme": (np.int32, -_INT32, _INT32, "wishes"),
    "tier": (np.uint8, 0, 15, "wishes"),
    "rank": (np.int32, 1, _INT32, "wishes"),
    "ticket": (np.uint32, 0, 2**32 - 1, "children"),
    "places": (np.int32, -_INT32, _INT32, "programmes"),
    "unit": (np.int32, -_INT32, MOST_LABELS - 1, "children"),
    "family": (np.int32, -_INT32, _INT32, "children"),
    "group_start": (np.int64, -(2**63), 2**63 - 1, "children"),
    "group": (np.int32, -_INT32, MOST_LABELS - 1, "children"),
    "elder": (np.int32, -_INT32, _INT32, "children"),
    "current": (np.int32, -_INT32, _INT32, "children"),
    "level": (np.int8, -128, 127, "programmes"),
    "nature": (np.int8, -128, 127, "programmes"),
    "area": (np.int32, -_INT32, _INT32, "programmes"),
    "kindergarten": (np.int32, -_INT32, _INT32, "programmes"),
    "sibling_tier": (np.int16, -128, 127, "programmes"),
}


@overload
def readonly(values: None, dtype: npt.DTypeLike) -> None: ...
@overload
def readonly(values: npt.ArrayLike, dtype: npt.DTypeLike) -> Array: ...
def readonly(values: Any, dtype: npt.DTypeLike) -> Any:
    """A read-only, contiguous view of ``values`` as ``dtype``; an array that is one already, and ``None``, is returned.

    For arrays made by the engine itself: the memory is shared. See :func:`readonly_copy` for arrays of a caller.
    """
    if values is None or _is_readonly(values, dtype):
        return values
    view = np.ascontiguousarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view


def _is_readonly(values: Any, dtype: npt.DTypeLike) -> bool:
    flags = getattr(values, "flags", None)
    return flags is not None and values.dtype == dtype and flags.c_contiguous and not flags.writeable


def readonly_copy(values: Any, dtype: npt.DTypeLike) -> Any:
    """A read-only copy of ``values``; its memory is not shared. ``None`` is returned."""
    if values is None:
        return None
    copy = np.array(values, dtype=dtype, order="C")
    copy.flags.writeable = False
    return copy.view()  # numpy refuses to make a view of a read-only array writeable


def readonly_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Each named column of a market as its read-only array, sharing memory. Raises ``TypeError`` for an unknown name."""
    _refuse_unknown(columns)
    return {name: readonly(value, COLUMNS[name][0]) for name, value in columns.items()}


def copied_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Each named column of a market as a read-only copy. Call :func:`column_faults` first."""
    return {name: readonly_copy(value, COLUMNS[name][0]) for name, value in columns.items()}


def column_faults(columns: Mapping[str, Any]) -> Iterator[Fault]:
    """What would not fit into the type of its column: fractions, texts, numbers that are too small or too large.

    Raises ``TypeError`` for an unknown name.
    """
    _refuse_unknown(columns)
    for name, values in columns.items():
        if values is not None:
            _, lowest, highest, table = COLUMNS[name]
            yield from _value_faults(table, name, np.asarray(values), lowest, highest)


def _refuse_unknown(columns: Mapping[str, Any]) -> None:
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise TypeError(f"no such column: {', '.join(unknown)}")


def _value_faults(table: str, name: str, values: Array, lowest: int, highest: int) -> Iterator[Fault]:
    if values.ndim != 1:
        yield Fault(table, -1, name, f"an array of {values.ndim} dimensions where one is needed")
        return
    if values.dtype.kind in "iub":
        if not len(values) or (int(values.min()) >= lowest and int(values.max()) <= highest):
            return
        bad = np.zeros(len(values), dtype=bool)
        if int(values.min()) < lowest:  # compared only where the type can hold the bound
            bad |= values < lowest
        if int(values.max()) > highest:
            bad |= values > highest
        yield from row_faults(table, bad, name, lambda row: f"{values[row]} is not between {lowest} and {highest}")
        return
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.floor(values))
    else:  # Python objects: numbers that no type of numpy holds, texts, None
        whole = np.array([isinstance(value, int) for value in values.tolist()], dtype=bool)
    yield from row_faults(table, ~whole, name, lambda row: f"{values[row]} is not a whole number")
    if whole.all():
        bad = ~((values >= lowest) & (values <= highest))
        yield from row_faults(table, bad, name, lambda row: f"{values[row]} is not between {lowest} and {highest}")
