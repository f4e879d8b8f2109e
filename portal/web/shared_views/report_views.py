"""Reports in words: the same cells for the page, the spreadsheet and the CSV file."""

import datetime as dt
from typing import Any

from flask import Response, abort
from flask_babel import gettext as _

from enrollment.places import spreadsheets
from enrollment.reports.tables.report import Column, Kind, Table
from portal.text.area_names import area_names
from portal.text.facts import BETWEEN, Names, names_for
from portal.text.formats import moment
from portal.text.grade_names import grade_name
from portal.text.words import language, word
from portal.text.words import table as words
from portal.web.evidence_files import watermark_text
from portal.web.unit_of_work import db

FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def head(table: Table) -> list[str]:
    return [word("report_column", column.code) for column in table.report.columns]


def cells(table: Table) -> list[list[Any]]:
    """The rows as they are written: codes in words, days in numbers; numbers stay numbers."""
    areas = area_names(db()) if any(column.kind == Kind.AREA for column in table.report.columns) else {}
    names = _names(table)
    return [
        [
            areas.get(value, value) if column.kind == Kind.AREA else _cell(column, value, names)
            for column, value in zip(table.report.columns, row, strict=True)
        ]
        for row in table.rows
    ]


def _names(table: Table) -> Names | None:
    """The names that the facts of the table refer to; None for a table without facts."""
    facts = [place for place, column in enumerate(table.report.columns) if column.kind == Kind.FACT]
    return names_for(db(), [row[place] for row in table.rows for place in facts]) if facts else None


def foot(table: Table) -> list[Any] | None:
    """The line of sums; None if nothing adds up."""
    totals = table.totals
    if all(total is None for total in totals):
        return None
    sums: list[Any] = ["" if total is None else total for total in totals]
    return [_("合计") if sums[0] == "" else sums[0], *sums[1:]]


def numbers(table: Table) -> list[int]:
    """The places of the columns of numbers."""
    return [place for place, column in enumerate(table.report.columns) if column.kind in (Kind.NUMBER, Kind.SHARE)]


def notes(table: Table, *, scope: str, reader: str) -> list[str]:
    """What stands beside the rows: what the report counts, whom it is about, its day, and who read it."""
    return [
        word("report_title", table.report.code),
        word("report_definition", table.report.code),
        scope,
        _("截至 %(when)s", when=moment(table.as_of, year=True)),
        *([_("对不上的合计：%(columns)s", columns="、".join(unequal(table)))] if table.unequal else []),
        *([_("还没有统计：%(areas)s", areas="、".join(missing(table)))] if table.missing else []),
        reader,
    ]


def altered(table: Table, rows: list[list[Any]]) -> list[str]:
    """The heads of the columns that a spreadsheet program rewrites when it opens the CSV file; `rows` are the cells."""
    return [
        name for place, name in enumerate(head(table)) if any(spreadsheets.is_rewritten(row[place]) for row in rows)
    ]


def missing(table: Table) -> list[str]:
    """The names of the areas that a report of the city has no line of."""
    names = area_names(db()) if table.missing else {}
    return [names.get(code, code) for code in table.missing]


def unequal(table: Table) -> list[str]:
    """The heads of the columns whose sums do not agree."""
    return [word("report_column", code) for code in table.unequal]


def content(table: Table, form: str, *, scope: str, reader: str) -> bytes:
    """The bytes of a file; `reader` stands in the footer of a spreadsheet."""
    rows, last = cells(table), foot(table)
    if last is not None:
        rows.append(last)
    if form == "csv":
        return spreadsheets.to_csv(head(table), rows)
    title, told = word("report_title", table.report.code), notes(table, scope=scope, reader=reader)
    return spreadsheets.to_xlsx(title, head(table), rows, notes=told, about=_("说明"))


def file(table: Table, form: str, *, scope: str) -> Response:
    """The table as a file of this form, named after the report and its day.  404 for an unknown form."""
    if form not in FORMATS:
        abort(404)
    answer = Response(content(table, form, scope=scope, reader=watermark_text()), content_type=FORMATS[form])
    name = f"{table.report.code}-{table.as_of:%Y%m%d}.{form}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _cell(column: Column, value: Any, names: Names | None) -> Any:
    if value is None:
        return ""
    if column.kind == Kind.CODE:
        codes = value if isinstance(value, tuple) else (value,)
        return BETWEEN[language()].join(_in_words(column.words.split(), str(code)) for code in codes)
    if column.kind == Kind.FACT and names is not None:
        return names.value_words(*value)
    if column.kind == Kind.GRADES:
        return "、".join(grade_name(each) for each in value)
    if column.kind == Kind.REMARKS:
        return "; ".join(word(column.words, code, **details) for code, details in value)
    if column.kind == Kind.PLACE:
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dt.datetime):
        return moment(value, year=True)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _in_words(groups: list[str], code: str) -> str:
    """The words of a code in the first group that knows it."""
    known = next((group for group in groups if code in words().get(group, {})), None)
    return word(known, code) if known else code
