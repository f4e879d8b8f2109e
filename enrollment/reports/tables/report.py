"""What a report is: its columns, the query of its rows, its scope and its day.

The same rows are shown on the page and written into both files.  Every reading of a report is on record; a file with
names needs a second person (`exports`).
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten


class Kind(StrEnum):
    """How the cells of a column are written."""

    TEXT = "text"
    NUMBER = "number"
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
    guardian is."""

    code: str
    kind: Kind = Kind.TEXT
    words: str = ""
    total: bool = False
    names: bool = False


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

    def here(self) -> ColumnElement[bool]:
        """SQL condition on the `Kindergarten` of a row."""
        mine = scope.scope_condition(self.by)
        return mine if self.kindergarten_id is None else and_(mine, Kindergarten.id == self.kindergarten_id)


Row = tuple[Any, ...]


@dataclass(frozen=True)
class Report:
    """`code` has words in the groups `report_title` and `report_definition`."""

    code: str
    columns: tuple[Column, ...]
    rows: Callable[[Question], Iterable[Row]]

    @property
    def has_names(self) -> bool:
        return any(column.names for column in self.columns)


@dataclass(frozen=True)
class Table:
    """The rows of a report at a time, and the sums of its columns (None where a column has none)."""

    report: Report
    rows: list[Row]
    as_of: dt.datetime

    @property
    def totals(self) -> tuple[int | float | None, ...]:
        return tuple(
            sum(row[place] or 0 for row in self.rows) if column.total else None
            for place, column in enumerate(self.report.columns)
        )

    def total(self, code: str) -> int | float | None:
        """The sum of one column."""
        place = [column.code for column in self.report.columns].index(code)
        return self.totals[place]


def read(report: Report, question: Question, *, how: str) -> Table:
    """The table of a report.  The audit trail records who read it, and `how`: as a page or as a file."""
    rows = [tuple(row) for row in report.rows(question)]
    audit.record(
        question.session, "read_report", "report", report.code, by=question.by, now=question.now,
        year=question.year, rows=len(rows), how=how,
    )  # fmt: skip
    return Table(report, rows, question.now)
