"""Files with names: ask for one, agree as the second person, fetch it."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from enrollment.ground.errors import NotFound
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables import exports
from enrollment.reports.tables.catalogue import report_of
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.web.admission_year import shown_year
from portal.web.forms import ActForm, PageForm, refusals_in
from portal.web.guards import desk
from portal.web.shared_views import report_views
from portal.web.unit_of_work import actor, clock, db


class ExportForm(PageForm):
    reason = StringField(_l("用来做什么"), [InputRequired(_l("请写明原因。")), Length(max=exports.LONGEST_REASON)])


def _page(code: str, form: ExportForm) -> ResponseReturnValue:
    report, here = report_of(code), kindergarten_of_page()
    if not report.has_names:
        raise NotFound("report")
    return render_template("staff/report_export.html", form=form, report=report, here=here, year=shown_year())


@pages.get("/reports/<code>/export")
@desk("staff")
def ask_report_export(code: str) -> ResponseReturnValue:
    return _page(code, ExportForm())


@pages.post("/reports/<code>/export")
@desk("staff")
def save_report_export(code: str) -> ResponseReturnValue:
    form = ExportForm()
    if form.validate_on_submit():
        with refusals_in(form):
            exports.ask(
                db(), code, kindergarten_of_page().id, shown_year(), reason=form.reason.data or "", by=actor(),
                now=clock(),
            )  # fmt: skip
            flash(_("已提出，请另一位同事在“报表”里同意。"))
            return redirect(url_for("staff.reports", year=shown_year()), 303)
    return _page(code, form)


@pages.post("/reports/exports/<uuid:export_id>")
@desk("staff", step_up=True)
def decide_report_export(export_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            exports.decide(db(), export_id, agreed=request.form.get("agree") == "y", by=actor(), now=clock())
            flash(_("已记下您的决定。"))
        for fault in form.form_errors:
            flash(str(fault), "warn")
    return redirect(url_for("staff.reports", year=shown_year()), 303)


@pages.get("/reports/exports/<uuid:export_id>/file.<form>")
@desk("staff", step_up=True)
def report_export_file(export_id: uuid.UUID, form: str) -> ResponseReturnValue:
    table = exports.fetch(db(), export_id, by=actor(), now=clock())
    export = db().get_one(exports.ReportExport, export_id)
    here = db().get_one(Kindergarten, export.kindergarten_id)
    return report_views.file(table, form, scope=f"{here.name} {export.year} · {export.reason}")
