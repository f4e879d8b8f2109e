"""Shared by the desks of staff and officials: files with names, which one person asks for and another one agrees to.

`desk` is the name of the blueprint, "staff" or "officials".
"""

import uuid
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from enrollment.ground.errors import NotFound
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables import exports
from enrollment.reports.tables.catalogue import report_of
from portal.web.forms import ActForm, PageForm, refusals_in
from portal.web.shared_views import report_views
from portal.web.unit_of_work import actor, clock, db


class ExportForm(PageForm):
    reason = StringField(_l("用来做什么"), [InputRequired(_l("请写明原因。")), Length(max=exports.LONGEST_REASON)])


def listed() -> dict[str, Any]:
    """What the list of reports shows of files with names: those of the last week, and which can be fetched now."""
    asked = exports.recent(db(), by=actor(), now=clock())
    fetchable = {each.id for each in asked if exports.can_be_fetched(each, clock())}
    places = {each.kindergarten_id: db().get_one(Kindergarten, each.kindergarten_id).name for each in asked}
    return {"asked": asked, "me": actor().account_id, "fetchable": fetchable, "places": places}


def ask_page(
    desk: str, code: str, here: Kindergarten, year: int, form: ExportForm | None = None
) -> ResponseReturnValue:
    report = report_of(code)
    if not report.has_names:
        raise NotFound("report")
    return render_template(f"{desk}/report_export.html", form=form or ExportForm(), report=report, here=here, year=year)


def ask(desk: str, code: str, here: Kindergarten, year: int) -> ResponseReturnValue:
    form = ExportForm()
    if form.validate_on_submit():
        with refusals_in(form):
            exports.ask(db(), code, here.id, year, reason=form.reason.data or "", by=actor(), now=clock())
            flash(_("已提出，请另一位同事在“报表”里同意。"))
            return redirect(url_for(f"{desk}.reports", year=year), 303)
    return ask_page(desk, code, here, year, form)


def decide(desk: str, export_id: uuid.UUID, year: int) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            exports.decide(db(), export_id, agreed=request.form.get("agree") == "y", by=actor(), now=clock())
            flash(_("已记下您的决定。"))
        for fault in form.form_errors:
            flash(str(fault), "warn")
    return redirect(url_for(f"{desk}.reports", year=year), 303)


def file(export_id: uuid.UUID, form: str) -> Response:
    table = exports.fetch(db(), export_id, by=actor(), now=clock())
    export = db().get_one(exports.ReportExport, export_id)
    here = db().get_one(Kindergarten, export.kindergarten_id)
    return report_views.file(table, form, scope=f"{here.name} {export.year} · {export.reason}")
