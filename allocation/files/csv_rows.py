"""Columns of numbers and texts as the rows of a CSV file, in one compiled loop."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from allocation.arrays import Array
from allocation.compilation import jit

ROWS_AT_ONCE = 1 << 14  # a block whose cells fit into the cache
_LONGEST_NUMBER = 20
LONGEST_INPUT_NUMBER = 10  # digits
_COMMA, _LINE_END, _ZERO = ord(","), ord("\n"), ord("0")


class Texts(NamedTuple):
    """Concatenated texts: text ``i`` is ``data[starts[i]:starts[i + 1]]``."""

    data: Array  # uint8
    starts: Array  # int64[texts + 1]


class Column(NamedTuple):
    """One column: for each row the index of its text, or without ``texts`` the number; -1 is an empty cell."""

    cells: Array
    texts: Texts | None = None


def encode_texts(values: Sequence[str]) -> Texts:
    """Texts as concatenated UTF-8 bytes."""
    encoded = [value.encode() for value in values]
    starts = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(value) for value in encoded], out=starts[1:])
    return Texts(np.frombuffer(b"".join(encoded), dtype=np.uint8), starts)


def hex_texts(rows: Array) -> Texts:
    """Rows of bytes (uint8[n, width]) as hex digits."""
    data = np.frombuffer(rows.tobytes().hex().encode(), dtype=np.uint8)
    return Texts(data, np.arange(len(rows) + 1, dtype=np.int64) * 2 * rows.shape[1])


def csv_bytes(header: Sequence[str], columns: Sequence[Column]) -> bytes:
    """One file: the header, then the rows. No text may contain a comma or a line end."""
    return csv_of_parts(header, [columns])


def csv_of_parts(header: Sequence[str], parts: Iterable[Sequence[Column]]) -> bytes:
    """As :func:`csv_bytes`, from the columns of some rows at a time."""
    return join_blocks(file_blocks(header, parts))


def join_blocks(blocks: Iterable[bytes]) -> bytes:
    """One file from its blocks."""
    file = io.BytesIO()  # grows where it is; a list of blocks is in memory twice when it is joined
    file.writelines(blocks)
    return file.getvalue()


def file_blocks(header: Sequence[str], parts: Iterable[Sequence[Column]]) -> Iterator[bytes]:
    """As :func:`csv_of_parts`, in blocks, so that the whole file is never in memory."""
    yield (",".join(header) + "\n").encode()
    texts: list[Texts | None] = []
    joined = _join_texts(texts)
    for columns in parts:
        own = [column.texts for column in columns]
        if len(own) != len(texts) or any(one is not other for one, other in zip(own, texts, strict=True)):
            texts, joined = own, _join_texts(own)  # only once where all parts have the same texts
        yield from _row_blocks(columns, joined)


def csv_blocks(columns: Sequence[Column]) -> Iterator[bytes]:
    """The rows of a file in blocks, without the header."""
    return _row_blocks(columns, _join_texts([column.texts for column in columns]))


class _JoinedTexts(NamedTuple):
    """The texts of all columns as one table."""

    data: Array
    starts: Array
    first_text: Array  # for each column the index of its first text; -1 for numbers
    lengths: list[Array | None]  # for each column the bytes of each text, then 0 for the empty cell


def _row_blocks(columns: Sequence[Column], texts: _JoinedTexts) -> Iterator[bytes]:
    out = np.empty(0, dtype=np.uint8)
    for begin in range(0, len(columns[0].cells), ROWS_AT_ONCE):
        cells = np.array([column.cells[begin : begin + ROWS_AT_ONCE] for column in columns], dtype=np.int64)
        room = cells.size * (1 + _LONGEST_NUMBER * any(length is None for length in texts.lengths))
        room += sum(
            int(length[row].sum()) for length, row in zip(texts.lengths, cells, strict=True) if length is not None
        )
        if len(out) < room:
            out = np.empty(room, dtype=np.uint8)
        yield out[: write_rows(cells, texts.first_text, texts.data, texts.starts, out)].tobytes()


def _join_texts(tables: Sequence[Texts | None]) -> _JoinedTexts:
    data, starts = [np.zeros(0, dtype=np.uint8)], [np.zeros(1, dtype=np.int64)]
    first_text = np.full(len(tables), -1, dtype=np.int64)
    texts = size = 0
    for column, table in enumerate(tables):
        if table is None:
            continue
        first_text[column] = texts
        data.append(table.data)
        starts.append(table.starts[1:] + size)
        texts, size = texts + len(table.starts) - 1, size + len(table.data)
    lengths = [None if table is None else np.diff(table.starts, append=table.starts[-1]) for table in tables]
    return _JoinedTexts(np.concatenate(data), np.concatenate(starts), first_text, lengths)


@jit
def write_rows(cells: Array, first_text: Array, data: Array, starts: Array, out: Array) -> int:
    """Write the cells (int64[columns, rows]) into ``out`` and return how many bytes that took."""
    at = 0
    for row in range(cells.shape[1]):
        for column in range(cells.shape[0]):
            value = cells[column, row]
            if value >= 0 and first_text[column] >= 0:
                text = first_text[column] + value
                for byte in range(starts[text], starts[text + 1]):
                    out[at] = data[byte]
                    at += 1
            elif value >= 0:
                width = 1
                rest = value // 10
                while rest > 0:
                    width += 1
                    rest //= 10
                for place in range(at + width - 1, at - 1, -1):
                    out[place] = _ZERO + value % 10
                    value //= 10
                at += width
            out[at] = _COMMA
            at += 1
        out[at - 1] = _LINE_END
    return at


@jit
def follow_order(data: Array, starts: Array, known: Array, known_starts: Array, found: Array) -> bool:
    """Write the index of each text among the known ones into ``found``; false if a text does not stand in their order.

    Each text must be the known text of the row before, or one after it.
    """
    at = 0
    for row in range(len(starts) - 1):
        begin, length = starts[row], starts[row + 1] - starts[row]
        while True:
            if at == len(known_starts) - 1:
                return False
            same = known_starts[at + 1] - known_starts[at] == length
            byte = length - 1  # neighbouring codes differ at their ends
            while same and byte >= 0:
                same = data[begin + byte] == known[known_starts[at] + byte]
                byte -= 1
            if same:
                break
            at += 1
        found[row] = at
    return True


@jit
def read_numbers(data: Array, starts: Array, found: Array) -> bool:
    """Write the number of each text into ``found`` (int64[texts]); false if a text is none in its one form.

    The form is 1 to 10 digits, without a sign and without zeros in front.
    """
    for row in range(len(found)):
        begin, end = starts[row], starts[row + 1]
        if end == begin or end - begin > LONGEST_INPUT_NUMBER or (data[begin] == _ZERO and end - begin > 1):
            return False
        number = 0
        for at in range(begin, end):
            digit = np.int64(data[at]) - _ZERO
            if digit < 0 or digit > 9:
                return False
            number = 10 * number + int(digit)
        found[row] = number
    return True


@jit
def count_lists(owner: Array, rank: Array, offsets: Array) -> bool:
    """Write where the rows of each owner begin into ``offsets``, which is zero; false if they are in another order.

    The order: owners rise from row to row or stay the same, and the ranks of each are 1, 2, 3 …
    """
    for row in range(len(owner)):
        before = owner[row - 1] if row > 0 else -1
        if owner[row] < before or owner[row] < 0 or rank[row] != (rank[row - 1] + 1 if owner[row] == before else 1):
            return False
        offsets[owner[row] + 1] += 1
    for one in range(len(offsets) - 1):
        offsets[one + 1] += offsets[one]
    return True
