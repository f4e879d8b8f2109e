"""The places ledger of a kindergarten: the plan by level, its history, and proposing other numbers to the area."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from enrollment.places import ledger, place_plans
from enrollment.places.areas import LEVELS
from enrollment.places.class_plan import NUMBERS
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.text import ledger_entries
from portal.web.admission_year import admission_year, asked_year
from portal.web.forms import PageForm, WholeField, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

NEEDED = [InputRequired(_l("请填写整数，没有就填 0")), NumberRange(0, 1000, _l("请填写 0 至 1000 的整数"))]


class PlanForm(PageForm):
    """The five numbers of a level and the reason; `version` is the programme's version on the page."""

    version = HiddenField()
    planned_classes = WholeField(_l("计划班数"), NEEDED)
    staffed_classes = WholeField(_l("已配教师班数"), NEEDED)
    class_norm = WholeField(_l("班额（每班人数）"), NEEDED)
    continuing = WholeField(_l("升班在园人数"), NEEDED)
    withheld = WholeField(_l("不参与派位的学位"), NEEDED)
    reason = TextAreaField(_l("调整原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=300)])

    def numbers(self) -> dict[str, int]:
        return {number: self[number].data for number in NUMBERS}


@pages.get("/places")
@desk("staff")
def places() -> ResponseReturnValue:
    kindergarten, year = kindergarten_of_page(), asked_year() or admission_year()
    return render_template(
        "staff/places.html",
        plan=place_plans.place_plan(db(), kindergarten.id, year, by=actor(), now=clock()),
        kindergartens=own_kindergartens(),
        history=place_plans.history(db(), kindergarten.id, year, by=actor(), page=request.args.get("page", 1, int)),
        words=ledger_entries,
    )


@pages.get("/places/<level>")
@desk("staff")
def place_plan(level: str) -> ResponseReturnValue:
    return _plan_page(level, None)


@pages.post("/places/<level>")
@desk("staff")
def propose_plan(level: str) -> ResponseReturnValue:
    kindergarten, form = kindergarten_of_page(), PlanForm()
    if form.validate_on_submit():
        with refusals_in(form):
            ledger.propose_level(
                db(), kindergarten.id, level, admission_year(), by=actor(), now=clock(),
                reason=form.reason.data, version=_seen_version(form), **form.numbers(),
            )  # fmt: skip
            flash(_("已提交区级审批。审批前仍按原数字执行。"))
            return redirect(url_for("staff.places", at=kindergarten.id), 303)
    return _plan_page(level, form)


def _seen_version(form: PlanForm) -> int | None:
    return int(form.version.data) if (form.version.data or "").isdigit() else None


def _plan_page(level: str, form: PlanForm | None) -> ResponseReturnValue:
    if level not in LEVELS:
        abort(404)
    kindergarten, year = kindergarten_of_page(), admission_year()
    plan = place_plans.place_plan(db(), kindergarten.id, year, by=actor(), now=clock())
    line = plan.line(level)
    if line is None:
        abort(404)
    if form is None:
        values = {number: getattr(line.wanted, number) for number in NUMBERS}
        form = PlanForm(data=values | {"version": line.programme.version if line.programme else ""})
    return render_template("staff/place_plan.html", plan=plan, line=line, form=form)
