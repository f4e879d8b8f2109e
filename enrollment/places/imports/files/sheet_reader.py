"""The sheets of an uploaded file, whatever it is: rows as a stream, and what cannot be read as a sentence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from enrollment.places.imports.files import file_kinds
from enrollment.places.imports.files.limits import MEGABYTE, MOST_BYTES, refuse
from enrollment.places.imports.files.sheet_parser import Row
from enrollment.places.imports.files.text_reader import TextTable
from enrollment.places.imports.files.workbook_reader import Workbook


@dataclass(frozen=True)
class Sheet:
    """`rows()` begins anew with every call.  `length` is about the number of rows."""

    name: str
    rows: Callable[[], Iterator[Row]]
    length: int
    is_hidden: bool = False


def read(content: bytes) -> list[Sheet]:
    """The sheets of a file.  Raises ImportFaults if it is unsupported, damaged or too large."""
    if len(content) > MOST_BYTES:
        raise refuse("file_too_large", most=MOST_BYTES // MEGABYTE)
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        raise refuse("file_empty")
    file_kinds.refuse_foreign(content)
    if content.startswith(file_kinds.ZIP):
        book = Workbook(content)
        return [
            Sheet(sheet.name, lambda sheet=sheet: book.rows(sheet), book.count_rows(sheet), sheet.is_hidden)  # type: ignore[misc]
            for sheet in book.sheets
        ]
    table = TextTable(content)
    return [Sheet("", table.rows, table.count_rows())]
