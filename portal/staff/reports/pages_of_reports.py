"""The list of reports, each report as a page, and files without names."""

from flask import Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from enrollment.reports.tables.catalogue import REPORTS, grouped, report_of
from enrollment.reports.tables.report import Question, Table, read
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.admission_year import shown_year
from portal.web.guards import desk
from portal.web.shared_views import report_exports, report_views
from portal.web.unit_of_work import actor, clock, db


def table_of_page(code: str, how: str) -> Table:
    """The report for the kindergarten and the year of the page."""
    question = Question(db(), shown_year(), actor(), clock(), kindergarten_of_page().id)
    return read(report_of(code), question, how=how)


@pages.get("/reports")
@desk("staff")
def reports() -> ResponseReturnValue:
    return render_template(
        "staff/reports.html", groups=grouped(REPORTS.values()), year=shown_year(), **report_exports.listed()
    )


@pages.get("/reports/<code>")
@desk("staff")
def report_page(code: str) -> ResponseReturnValue:
    table, here = table_of_page(code, "page"), kindergarten_of_page()
    rows = report_views.cells(table)
    return render_template(
        "staff/report.html", table=table, report=table.report, here=here, year=shown_year(),
        kindergartens=own_kindergartens(), head=report_views.head(table), rows=rows,
        foot=report_views.foot(table), numbers=report_views.numbers(table), unequal=report_views.unequal(table),
        altered=report_views.altered(table, rows),
    )  # fmt: skip


@pages.get("/reports/<code>/file.<form>")
@desk("staff")
def report_file(code: str, form: str) -> ResponseReturnValue:
    """A file without names; one with names leads to the page that asks a second person."""
    here = kindergarten_of_page()
    if report_of(code).has_names:
        return redirect(url_for("staff.ask_report_export", code=code, year=shown_year(), at=here.id), 303)
    answer: Response = report_views.file(table_of_page(code, "file"), form, scope=f"{here.name} {shown_year()}")
    return answer
