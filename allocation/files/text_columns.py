"""CSV bytes as columns of text, and such columns as numbers: the only module that imports Arrow.

A whole column is tested at once; only if the test fails is each cell tested.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from allocation.arrays import Array
from allocation.files.codes import FORBIDDEN_RE2, LONGEST_CODE
from allocation.files.csv_rows import LONGEST_INPUT_NUMBER, Texts, encode_texts, follow_order, read_numbers

_NUMBER = rf"^(0|[1-9][0-9]{{0,{LONGEST_INPUT_NUMBER - 1}}})$"
_BLANK = 0x20
_PLAIN = bytes(sorted({*range(_BLANK, 0x7F)} - {*b'",'}))
"""Bytes that every code may have: visible ASCII and the blank. Where there are others, the characters are tested."""

Text = Any  # an Arrow array of texts

# Arrow's own pool keeps most of what was freed: after a market was read, five times as much as the market takes.
pa.set_memory_pool(pa.system_memory_pool())


class Unreadable(ValueError):
    """The bytes are not a CSV table."""


def read_columns(data: bytes, header: Sequence[str], wrong: Callable[[int, str], None]) -> dict[str, Text]:
    """The columns of a CSV file; ``wrong`` is called for each row (from 1, the header) that is not UTF-8 or has a wrong number of fields.

    Raises :class:`Unreadable`.
    """

    def note(row: Any) -> str:
        wrong(row.number, f"{row.actual_columns} fields where {row.expected_columns} are needed")
        return "skip"

    try:
        return _read(data, header)
    except pa.ArrowInvalid:
        for row, line in enumerate(data.split(b"\n"), start=1):
            if not _is_text(line):
                wrong(row, "not UTF-8")
    try:
        return _read(data.decode(errors="replace").encode(), header, note)
    except pa.ArrowInvalid as error:
        raise Unreadable(str(error)) from None


def release_memory() -> None:
    """Give memory that Arrow keeps for reuse back to the operating system."""
    pa.default_memory_pool().release_unused()


def _read(data: bytes, header: Sequence[str], note: Callable[[Any], str] | None = None) -> dict[str, Text]:
    table = csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(use_threads=False, block_size=1 << 24),
        csv.ParseOptions(quote_char=False, ignore_empty_lines=False, invalid_row_handler=note),
        csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False),
    )
    columns = {name: table[name] for name in header}
    del table
    for name in header:
        columns[name] = to_column(columns[name])  # the parts of one column are freed before the next is joined
    return columns


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def to_column(values: Text | Sequence[str]) -> Text:
    """Any column of texts as one Arrow array."""
    if isinstance(values, pa.ChunkedArray):
        return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    if isinstance(values, pa.Array):
        return values
    data, starts = encode_texts([str(value) for value in values])
    buffers = [None, pa.py_buffer(starts.astype(np.int32)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(starts) - 1, buffers)


def texts(values: Text | Sequence[str]) -> Texts:
    """The bytes of a column, without a copy where it is one."""
    values = to_column(values)
    if not len(values):
        return encode_texts(())
    starts = _buffer(values, np.int32, 1).astype(np.int64)
    _, _, data = values.buffers()
    every = np.zeros(0, dtype=np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return Texts(every[starts[0] : starts[-1]], starts - starts[0])


def lengths(values: Text) -> Array:
    """The bytes in each cell (int64[rows])."""
    return np.diff(texts(values).starts)


def not_codes(values: Text) -> Array:
    """bool[rows]: the cell is no code (:mod:`allocation.files.codes`)."""
    data, starts = texts(values)
    size = np.diff(starts)
    if not len(size):
        return np.zeros(0, dtype=bool)
    plain = not data.tobytes().translate(None, _PLAIN)
    bad: Array = (size == 0) | ((size if plain else _integers(pc.utf8_length(values))) > LONGEST_CODE)
    filled = np.flatnonzero(size)
    bad[filled] |= (data[starts[filled]] == _BLANK) | (data[starts[filled + 1] - 1] == _BLANK)
    if not plain:
        bad |= _bits(pc.match_substring_regex(values, FORBIDDEN_RE2))
        bad |= _bits(pc.not_equal(values, pc.utf8_normalize(values, form="NFC")))
    return bad


def not_digests(values: Text) -> Array:
    """bool[rows]: the cell is not 64 hex digits in lower case."""
    return ~_bits(pc.match_substring_regex(values, "^[0-9a-f]{64}$"))


def duplicates(values: Text) -> Array:
    """bool[rows]: the cell is equal to one above it."""
    if is_sorted(values) or len(pc.unique(values)) == len(values):
        return np.zeros(len(values), dtype=bool)
    place = lookup(values, pc.unique(values))
    first = np.full(len(place), len(place))
    np.minimum.at(first, place, np.arange(len(place)))
    return np.asarray(first[place] != np.arange(len(place)))


def numbers(values: Text, empty: int | None = None) -> tuple[Array, Array]:
    """Whole numbers from 0 (int64[rows]), and bool[rows]: the cell is none. An empty cell is ``empty`` if that is given."""
    plain = _plain_numbers(values)
    if plain is not None:
        return plain, np.zeros(len(plain), dtype=bool)
    good = _bits(pc.match_substring_regex(values, _NUMBER))
    blank = (lengths(values) == 0) & (empty is not None)
    found = np.where(blank, empty or 0, 0)
    found[good] = _integers(pc.cast(values.filter(_mask(good)), pa.int64()))
    return found, ~good & ~blank


def _plain_numbers(values: Text) -> Array | None:
    """The numbers if every cell is a number in canonical form, without sign or leading zeros; else ``None``."""
    found = np.empty(len(values), dtype=np.int64)
    return found if read_numbers(*texts(values), found) else None


def lookup(values: Text, known: Text | Sequence[str]) -> Array:
    """The index of each cell in ``known`` (int32), -1 if it is not there."""
    return _integers(pc.index_in(values, to_column(known)))


def lookup_in_order(values: Text, known: Text) -> Array:
    """As :func:`lookup`, quicker where the cells stand in the order of ``known``, as they do in files that we wrote."""
    found = np.empty(len(values), dtype=np.int32)
    return found if follow_order(*texts(values), *texts(known), found) else lookup(values, known)


def dictionary(values: Text) -> tuple[Text, Array]:
    """The distinct texts in order of first appearance, and the index of each cell (int32); -1 for an empty cell."""
    full = lengths(values) > 0
    if full.all():
        encoded = values.dictionary_encode()
        return encoded.dictionary, _integers(encoded.indices)
    index = np.full(len(values), -1, dtype=np.int32)
    distinct, index[full] = dictionary(values.filter(_mask(full)))
    return distinct, index


def split(values: Text) -> tuple[Array, Text]:
    """Lists joined by ``;`` as where each begins (int64[rows + 1]) and one long column."""
    full = lengths(values) > 0
    parts = pc.split_pattern(values.filter(_mask(full)), ";")
    count = np.zeros(len(values), dtype=np.int64)
    count[full] = _integers(pc.list_value_length(parts))
    return np.concatenate(([0], np.cumsum(count))), parts.flatten()


def join(start: Array, values: Text | Sequence[str]) -> Text:
    """The opposite of :func:`split`."""
    return pc.binary_join(pa.ListArray.from_arrays(_number_column(start, np.int32), to_column(values)), ";")


def take(values: Text | Sequence[str], index: Array) -> Text:
    """``values[index]``."""
    return to_column(values).take(_number_column(index, np.int64))


def is_sorted(values: Text | Sequence[str]) -> bool:
    """Whether the texts rise strictly in the order of their UTF-8 bytes; then no text is there twice."""
    values = to_column(values)
    return len(values) < 2 or pc.all(pc.less(values[:-1], values[1:])).as_py()


def sort_order(values: Text | Sequence[str], *then: Text | Sequence[str]) -> Array:
    """The order of texts by their UTF-8 bytes (int64[rows]); among equals by the columns that follow."""
    columns = [to_column(each) for each in (values, *then)]
    if is_sorted(columns[0]):
        return np.arange(len(columns[0]))
    keys = {str(number): each for number, each in enumerate(columns)}
    return _integers(pc.sort_indices(pa.table(keys), [(key, "ascending") for key in keys])).astype(np.int64)


# Arrow's own conversions to numpy import pandas if it is installed, so the buffers are read directly.


def _number_column(values: Array, dtype: npt.DTypeLike) -> pa.Array:
    kind = pa.from_numpy_dtype(dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values, dtype=dtype))])


def _mask(values: Array) -> pa.Array:
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(np.packbits(values, bitorder="little"))])


def _buffer(values: pa.Array, dtype: npt.DTypeLike, more: int = 0) -> Array:
    """The second buffer: the numbers themselves, or the starts of texts (then one more than there are rows)."""
    return np.frombuffer(values.buffers()[1], dtype=dtype)[values.offset : values.offset + len(values) + more]


def _integers(values: pa.Array) -> Array:
    """Whole numbers, -1 for what is missing."""
    found = _buffer(values, values.type.to_pandas_dtype())
    if values.null_count:
        found = np.where(_set_bits(values.buffers()[0], values), found, found.dtype.type(-1))
    return found


def _bits(values: pa.Array) -> Array:
    """bool[rows] of a column of truth values."""
    return _set_bits(values.buffers()[1], values)


def _set_bits(buffer: Any, values: pa.Array) -> Array:
    bits = np.unpackbits(np.frombuffer(buffer, dtype=np.uint8), bitorder="little")
    return bits[values.offset : values.offset + len(values)].astype(bool)
