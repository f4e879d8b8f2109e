"""The support cases of an official's areas, as a page and as files.  Codes only; only who decides them may read it."""

from flask import Response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.reports.tables.catalogue import official_report_of
from enrollment.reports.tables.report import Question, Table, read
from portal.officials import pages
from portal.officials.scope import DECIDERS
from portal.officials.years import chosen_year
from portal.web.guards import desk
from portal.web.shared_views import report_views
from portal.web.unit_of_work import actor, clock, db


def _table(how: str) -> Table:
    return read(official_report_of("support_cases"), Question(db(), chosen_year(), actor(), clock()), how=how)


@pages.get("/support-cases", endpoint="support_cases")
@desk("officials", *DECIDERS)
def support_cases_page() -> ResponseReturnValue:
    table = _table("page")
    rows = report_views.cells(table)
    return render_template(
        "officials/support_cases.html", table=table, head=report_views.head(table), rows=rows,
        numbers=report_views.numbers(table), altered=report_views.altered(table, rows), year=chosen_year(),
    )  # fmt: skip


@pages.get("/support-cases/file.<form>")
@desk("officials", *DECIDERS)
def support_cases_file(form: str) -> ResponseReturnValue:
    answer: Response = report_views.file(_table("file"), form, scope=f"{_('我能看到的全部区域')} {chosen_year()}")
    return answer
