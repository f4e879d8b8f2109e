"""A report for an official: sums of the city's areas, of an area's kindergartens, or the rows of a kindergarten.

Names of children and guardians are in the rows of one kindergarten only; the rows of an area have the same columns without
them.  What is sensitive of one child is for officials who decide there.
"""

from dataclasses import replace
from typing import Any

from enrollment.ground.errors import NotFound
from enrollment.reports.tables import area_sums
from enrollment.reports.tables.report import Column, Kind, Question, Report, Table, Width, read, without

ORDER = list(Width)
BY_AREA, BY_KINDERGARTEN = Column("area", Kind.AREA), Column("kindergarten", Kind.PLACE)


def allows(report: Report, width: Width) -> bool:
    """Whether the report can be read at this width; a wider one leads to a choice of areas or kindergartens."""
    if width == Width.CITY and report.code in area_sums.KEPT:
        return True
    return ORDER.index(report.widest) <= ORDER.index(width) <= ORDER.index(report.narrowest)


def read_at(report: Report, question: Question, *, how: str, decides: bool) -> Table:
    """The table of the report at the width of the question, for a reader who `decides` there or who only reads.

    A file with names is made in `exports` alone, after a second person agreed.  NotFound where the report can only be read at another width.
    """
    if not allows(report, question.width):
        raise NotFound("report")
    if question.width == Width.CITY and report.code in area_sums.KEPT:
        return area_sums.read(report, question, how=how)
    table = read(report, question, how=how)
    names = decides and how == "page" and question.width == Width.KINDERGARTEN
    if report.has_sums and question.width in ((Width.CITY,) if report.line_each else (Width.CITY, Width.AREA)):
        return _summed(table, question.width)
    return without(table, lambda column: (column.names and not names) or (column.sensitive and not decides))


def _summed(table: Table, width: Width) -> Table:
    """A row for each area or each kindergarten, with the sums of the columns that add up."""
    report = table.report
    places = area_sums.summed_columns(report)
    first = BY_AREA if width == Width.CITY else BY_KINDERGARTEN
    summed = replace(report, columns=(first, *(report.columns[place] for place in places)))
    sums: dict[Any, list[Any]] = {}
    for row in table.rows:
        line = sums.setdefault(row[0].area if width == Width.CITY else row[0], [0] * len(places))
        for position, place in enumerate(places):
            if report.columns[place].total:
                line[position] += row[place] or 0
    return replace(table, report=summed, rows=[summed.with_shares((key, *line)) for key, line in sums.items()])
