"""What differs between the roll of a kindergarten and a file of the national one.  The file is compared and not kept."""

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileRequired

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.reports.tables import reconciliation
from enrollment.reports.tables.report import Question, Table, read
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.web.admission_year import shown_year
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import report_views
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import UploadField, accepts_uploads


class NationalFileForm(PageForm):
    file = UploadField(
        _l("国家学籍系统导出的文件（.xlsx 或 .csv）"), [FileRequired(_l("请选一个文件。"))], kinds=("table",)
    )


def _page(form: NationalFileForm, table: Table | None = None, **values: Any) -> str:
    return render_template(
        "staff/roll_differences.html", form=form, here=kindergarten_of_page(), year=shown_year(), table=table, **values
    )


@pages.get("/reports/roll_file/differences")
@desk("staff")
def roll_differences() -> ResponseReturnValue:
    return _page(NationalFileForm())


@pages.post("/reports/roll_file/differences")
@desk("staff")
@accepts_uploads(LIMITS["table"])
def compare_rolls() -> ResponseReturnValue:
    form, here = NationalFileForm(), kindergarten_of_page()
    if not form.validate_on_submit():
        return _page(form)
    with refusals_in(form):
        national = reconciliation.read_file(form.file.data.read())
        question = Question(db(), shown_year(), actor(), clock(), here.id)
        table = read(reconciliation.compare(question, national), question, how="page")
        return _page(form, table, head=report_views.head(table), rows=report_views.cells(table), compared=len(national))
    return _page(form)
