"""What a report is: its columns, the query of its rows, its scope, its day, and the sums that must agree.

The same rows are shown on the page and written into both files, at the desks of staff and of officials.  Every reading of
a report is on record; a file with names needs a second person (`exports`).  `widths` gives the rows of an area or the city.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Bundle, Session

from allocation.coverage import Share
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_rows import school_year_of


class Kind(StrEnum):
    """How the cells of a column are written."""

    TEXT = "text"
    PLACE = "place"
    NUMBER = "number"
    SHARE = "share"
    DAY = "day"
    MOMENT = "moment"
    CODE = "code"
    FACT = "fact"
    AREA = "area"
    GRADES = "grades"
    REMARKS = "remarks"


@dataclass(frozen=True)
class Column:
    """`code` has words in the group `report_column`; the codes of a `CODE` column have theirs in `words`, as have those of
    `REMARKS`, which are pairs of a code and its details.  The numbers of a column with `total` add up.  A cell of a `CODE`
    column may hold several codes, one of a `FACT` column a fact with its value.  `names`: the cells tell who a child or a
    guardian is.  `sensitive`: they tell nobody's name, but of one child what only those who decide about it may know.
    `below_city`: the city's report leaves it out, because each child's sealed number would be opened for it.
    What has `share_of` is computed from two columns of the same line, also in a line of sums: a `SHARE` is the first in per cent
    of the second, a `NUMBER` the first divided by the second."""

    code: str
    kind: Kind = Kind.TEXT
    words: str = ""
    total: bool = False
    names: bool = False
    sensitive: bool = False
    below_city: bool = False
    share_of: tuple[str, str] | None = None


@dataclass(frozen=True)
class Place:
    """The kindergarten of a row, in a `PLACE` column; written as its name."""

    id: uuid.UUID
    name: str
    area: str

    def __str__(self) -> str:
        return self.name


class _PlaceColumns(Bundle[Place]):
    def create_row_processor(self, query: Any, procs: Sequence[Any], labels: Sequence[str]) -> Callable[[Any], Place]:
        return lambda row: Place(*(read(row) for read in procs))


PLACE: Bundle[Place] = _PlaceColumns("place", Kindergarten.id, Kindergarten.name, Kindergarten.area_code)
"""Selects the `Place` of the `Kindergarten` of a query."""


class Width(StrEnum):
    """How much a question is about."""

    CITY = "city"
    AREA = "area"
    KINDERGARTEN = "kindergarten"


@dataclass(frozen=True)
class Question:
    """Whom the report is about: an admission year, the actor's scope, or one kindergarten or area of it."""

    session: Session
    year: int
    by: Actor
    now: dt.datetime
    kindergarten_id: uuid.UUID | None = None
    area: str | None = None

    @property
    def day(self) -> dt.date:
        return today(self.now)

    @property
    def school_year(self) -> int:
        """The school year whose roll is read: that of the admission year, or the one under way until it begins."""
        return min(self.year, school_year_of(self.day))

    @property
    def width(self) -> Width:
        if self.kindergarten_id is not None:
            return Width.KINDERGARTEN
        return Width.CITY if self.area is None else Width.AREA

    def here(self) -> ColumnElement[bool]:
        """SQL condition on the `Kindergarten` of a row."""
        conditions = [scope.scope_condition(self.by)]
        if self.kindergarten_id is not None:
            conditions.append(Kindergarten.id == self.kindergarten_id)
        if self.area is not None:
            conditions.append(Kindergarten.area_code == self.area)
        return and_(*conditions)


Row = tuple[Any, ...]


@dataclass(frozen=True)
class Report:
    """`code` has words in the groups `report_title` and `report_definition`.

    `parts` names columns that are the sum of others in every row.  `same_as` computes the totals of
    columns in another way.  Both are checked whenever the report is read (`Table.unequal`).
    `line_each`: it has one row for each kindergarten, so that an area reads the rows, and only the city sums.
    `widest` and `narrowest` are what officials may ask about at once; `for_deciders` keeps it
    from officials who only read.
    """

    code: str
    columns: tuple[Column, ...]
    rows: Callable[[Question], Iterable[Row]]
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    same_as: Callable[[Question], Mapping[str, int]] | None = None
    line_each: bool = False
    widest: Width = Width.CITY
    narrowest: Width = Width.KINDERGARTEN
    for_deciders: bool = False

    @property
    def has_names(self) -> bool:
        return any(column.names for column in self.columns)

    @property
    def has_sums(self) -> bool:
        """Whether it adds up, so that an area and the city have a line for each of their parts."""
        return self.columns[0].kind == Kind.PLACE and any(column.total for column in self.columns)

    def place_of(self, code: str) -> int:
        return [column.code for column in self.columns].index(code)

    def with_shares(self, line: Row) -> Row:
        """A line whose shares are filled in: `51.20%`, `7.5`, or None where the whole is zero."""
        return tuple(
            self._share(line, column) if column.share_of else cell
            for column, cell in zip(self.columns, line, strict=True)
        )

    def _share(self, line: Row, column: Column) -> str | float | None:
        part, whole = (line[self.place_of(code)] or 0 for code in column.share_of or ())
        if not whole:
            return None
        return f"{Share(part, whole).text}%" if column.kind == Kind.SHARE else round(part / whole, 1)


@dataclass(frozen=True)
class Table:
    """The rows of a report at a time, and the sums of its columns (None where a column has none).

    `missing` are areas of a report of the city that nobody has counted yet.
    `unequal` are the columns whose sums do not agree; there are none unless a count of the portal is wrong.
    """

    report: Report
    rows: list[Row]
    as_of: dt.datetime
    unequal: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def totals(self) -> Row:
        return self.report.with_shares(
            tuple(
                sum(row[place] or 0 for row in self.rows) if column.total else None
                for place, column in enumerate(self.report.columns)
            )
        )

    def total(self, code: str) -> Any:
        """The sum of one column."""
        return self.totals[self.report.place_of(code)]


def read(report: Report, question: Question, *, how: str) -> Table:
    """The table of a report.  The audit trail records who read it, about which kindergarten, and `how`: as a page or as a
    file."""
    rows = [report.with_shares(tuple(row)) for row in report.rows(question)]
    note_reading(report, question, rows=len(rows), how=how)
    table = Table(report, rows, question.now)
    if question.width == Width.CITY:
        table = without(table, lambda column: column.below_city)
    return replace(table, unequal=tuple(unequal_of(table, question)))


def without(table: Table, left_out: Callable[[Column], bool]) -> Table:
    """The table without some of its columns, and without the checks that need them."""
    report = table.report
    kept = [place for place, column in enumerate(report.columns) if not left_out(column)]
    if len(kept) == len(report.columns):
        return table
    columns = tuple(report.columns[place] for place in kept)
    codes = {column.code for column in columns}
    parts = tuple(each for each in report.parts if codes.issuperset((each[0], *each[1])))
    rows = [tuple(row[place] for place in kept) for row in table.rows]
    return replace(table, report=replace(report, columns=columns, parts=parts), rows=rows)


def note_reading(report: Report, question: Question, *, rows: int, how: str) -> None:
    """Write into the audit trail who read it, of which year and area or kindergarten."""
    told: dict[str, Any] = {"year": question.year, "rows": rows, "how": how, "area": question.area}
    session, by, now = question.session, question.by, question.now
    if question.kindergarten_id is None:
        audit.record(session, "read_report", "report", report.code, by=by, now=now, **told)
    else:  # so that the officials of its area find in the trail who read it
        told["report"] = report.code
        audit.record(session, "read_report", "kindergarten", question.kindergarten_id, by=by, now=now, **told)


def unequal_of(table: Table, question: Question) -> Iterable[str]:
    """The columns whose sums do not agree."""
    report = table.report
    for code, parts in report.parts:
        whole, places = report.place_of(code), [report.place_of(part) for part in parts]
        if any((row[whole] or 0) != sum(row[place] or 0 for place in places) for row in table.rows):
            yield code
    if report.same_as is not None:
        yield from (code for code, total in report.same_as(question).items() if table.total(code) != total)
