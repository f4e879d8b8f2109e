"""Reading of workbooks (.xlsx) as a stream: a row is given as soon as it is unpacked, so a list of a whole city needs the
memory of its distinct texts and no more.

A workbook is a zip of XML.  Only the sheets, their texts and their formats are unpacked, each under a limit; a document
type declaration, with which entities could multiply, is refused.  Sizes that the file tells about itself are not used.
"""

import contextlib
import datetime as dt
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from enrollment.places.imports.files.limits import MOST_PARTS, MOST_UNPACKED, refuse, too_large_unpacked
from enrollment.places.imports.files.sheet_parser import (
    FIRST_DAY_OF_1904,
    Row,
    SharedTexts,
    SheetParser,
    column_number,
    local_name,
    new_parser,
)

STEP = 256 * 1024
FIRST_DAY = dt.datetime(1899, 12, 30)
DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_merged = re.compile(rb'mergeCell\b[^>]*?\bref="([A-Za-z]{1,3})(\d{1,7}):([A-Za-z]{1,3})(\d{1,7})"')
_literal = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


@dataclass(frozen=True)
class WorkbookSheet:
    name: str
    part: str
    is_hidden: bool


class Workbook:
    """The sheets of a workbook in their order.  Raises ImportFaults if it is damaged or too large."""

    def __init__(self, content: bytes):
        with _damaged_unless_readable():
            self._archive = zipfile.ZipFile(io.BytesIO(content))
            if len(self._archive.infolist()) > MOST_PARTS:
                raise too_large_unpacked()
            self._parts = {name.lower(): name for name in self._archive.namelist()}
            self._first_day = FIRST_DAY
            self.sheets = self._sheets()
            self._dates = self._date_styles()
            self._strings = self._shared_strings()

    def rows(self, sheet: WorkbookSheet) -> Iterator[Row]:
        """The rows that have a cell with content; merged cells have the value of their first one."""
        with _damaged_unless_readable():
            parser = SheetParser(self._strings, self._dates, self._first_day, self._merged_cells(sheet.part))
            for piece in self._pieces(sheet.part):
                yield from parser.feed(piece)
            yield from parser.close()

    def count_rows(self, sheet: WorkbookSheet) -> int:
        """About how many rows a sheet has, for the progress."""
        with _damaged_unless_readable():
            return sum(piece.count(b"<row ") for piece in self._pieces(sheet.part))

    def _pieces(self, part: str) -> Iterator[bytes]:
        left = MOST_UNPACKED
        with self._archive.open(self._parts[part.lower()]) as file:
            while piece := file.read(STEP):
                left -= len(piece)
                if left < 0:
                    raise too_large_unpacked()
                yield piece

    def _tags(self, part: str, tell: Callable[[str, dict[str, str]], None]) -> None:
        """Call `tell` with the local name and the attributes of every element of a part, if the part is there."""
        if part.lower() not in self._parts:
            return
        parser = new_parser()
        parser.StartElementHandler = lambda name, attributes: tell(local_name(name), attributes)
        for piece in self._pieces(part):
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def _sheets(self) -> list[WorkbookSheet]:
        targets: dict[str, str] = {}
        listed: list[tuple[str, str, bool]] = []

        def relation(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
                target = attributes.get("Target", "")
                path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
                targets[attributes.get("Id", "")] = path

        def sheet(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                relation_id = next((text for key, text in attributes.items() if key.endswith(":id")), "")
                listed.append(
                    (attributes.get("name", ""), relation_id, attributes.get("state", "visible") != "visible")
                )
            elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                self._first_day = FIRST_DAY_OF_1904

        self._tags("xl/_rels/workbook.xml.rels", relation)
        self._tags("xl/workbook.xml", sheet)
        found = [WorkbookSheet(name, targets[key], hidden) for name, key, hidden in listed if key in targets]
        if not found or any(sheet.part.lower() not in self._parts for sheet in found):
            raise refuse("file_damaged")
        return found

    def _date_styles(self) -> frozenset[str]:
        """The numbers of the cell styles that show a date."""
        formats: set[str] = {str(number) for number in DATE_FORMATS}
        styles: list[str] = []
        state = {"inside": False}

        def style(name: str, attributes: dict[str, str]) -> None:
            if name == "numFmt" and re.search("[ymdhs]", _literal.sub("", attributes.get("formatCode", "")).lower()):
                formats.add(attributes.get("numFmtId", ""))
            elif name in ("cellXfs", "cellStyles", "cellStyleXfs", "dxfs"):
                state["inside"] = name == "cellXfs"
            elif name == "xf" and state["inside"]:
                styles.append(attributes.get("numFmtId", ""))

        self._tags("xl/styles.xml", style)
        return frozenset(str(number) for number, name in enumerate(styles) if name in formats)

    def _shared_strings(self) -> list[str]:
        part = "xl/sharedstrings.xml"
        if part not in self._parts:
            return []
        texts = SharedTexts()
        for piece in self._pieces(part):
            texts.parser.Parse(piece, False)
        texts.parser.Parse(b"", True)
        return texts.found

    def _merged_cells(self, part: str) -> dict[int, list[tuple[int, int, int]]]:
        """Merged ranges by their first row: (first column, last row, last column).  They stand below the rows in the file."""
        ranges: dict[int, list[tuple[int, int, int]]] = {}
        end = b""
        for piece in self._pieces(part):
            for left, top, right, bottom in _merged.findall(end + piece):
                place = (column_number(left.decode()), int(bottom), column_number(right.decode()))
                if place not in ranges.setdefault(int(top), []):
                    ranges[int(top)].append(place)
            end = piece[-200:]
        return ranges


@contextlib.contextmanager
def _damaged_unless_readable() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile, zlib.error, expat.ExpatError, OSError, EOFError, NotImplementedError, RuntimeError,
        ValueError, KeyError, IndexError, OverflowError,
    ) as fault:  # fmt: skip
        raise refuse("file_damaged") from fault
