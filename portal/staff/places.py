"""The places ledger of a kindergarten: the plan by level, its history, and proposing other numbers to the area."""

import uuid

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.places import ledger, place_plans
from enrollment.places.areas import LEVELS
from enrollment.places.class_plan import NUMBERS
from enrollment.places.kindergartens import page_of_list
from enrollment.places.place_plans import LevelLine, PlacePlan
from enrollment.places.plans import class_loss
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.text import ledger_entries
from portal.text.numbers import number_or, whole_number
from portal.web.admission_year import shown_year
from portal.web.forms import (
    ActForm,
    CivilDate,
    WholeField,
    coded_choices,
    page_of,
    parse_uuid,
    refusals_in,
)
from portal.web.guards import desk
from portal.web.shared_views import places_of_a_day as ledger_of_a_day
from portal.web.shared_views.approval_papers import ApprovalFields, approval_file
from portal.web.unit_of_work import actor, city_day, clock, db
from portal.web.upload_fields import accepts_uploads

NEEDED = [InputRequired(_l("请填写整数，没有就填 0")), NumberRange(0, 1000, _l("请填写 0 至 1000 的整数"))]


class PlanForm(ApprovalFields):
    """The five numbers of a level and the reason; `version` and `seen` are the programme's version and the open proposal on
    the page."""

    version = HiddenField()
    seen = HiddenField()
    planned_classes = WholeField(_l("计划班数"), NEEDED)
    staffed_classes = WholeField(_l("已配教师班数"), NEEDED)
    class_norm = WholeField(_l("班额（每班人数）"), NEEDED)
    continuing = WholeField(_l("升班在园人数"), NEEDED)
    withheld = WholeField(_l("不参与派位的学位"), NEEDED)
    reason = TextAreaField(_l("调整原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=300)])

    def take_newer(self) -> bool:
        _plan, line = _line_of((request.view_args or {})["level"])
        self.newer = [(self[number].label.text, str(getattr(line.wanted, number))) for number in NUMBERS]
        self.version.data, self.seen.data = _version_of(line), _open_of(line)
        return True

    def numbers(self) -> dict[str, int]:
        return {number: self[number].data for number in NUMBERS}


@pages.get("/places")
@desk("staff")
def places() -> ResponseReturnValue:
    kindergarten, year = kindergarten_of_page(), shown_year()
    return render_template(
        "staff/places.html",
        plan=place_plans.place_plan(db(), kindergarten.id, year, by=actor(), now=clock()),
        kindergartens=own_kindergartens(),
        proposals=page_of_list(
            place_plans.proposals(db(), kindergarten.id, year, by=actor()),
            request.args.get("proposals", 1, whole_number),
            12,
        ),
        losses=class_loss.losses(db(), kindergarten.id, year, by=actor()),
        history=place_plans.history(
            db(), kindergarten.id, year, by=actor(), page=request.args.get("page", 1, whole_number)
        ),
        words=ledger_entries,
        act=ActForm(formdata=None),
    )


@pages.get("/places/day")
@desk("staff")
def places_of_a_day() -> ResponseReturnValue:
    """The ledger as it was at the end of a day, and the fewest free places of a period."""
    shown = ledger_of_a_day.context(kindergarten_of_page(), shown_year())
    return render_template("staff/places_of_a_day.html", kindergartens=own_kindergartens(), **shown)


@pages.get("/places/<level>")
@desk("staff")
def place_plan(level: str) -> ResponseReturnValue:
    return _plan_page(level, None)


@pages.post("/places/<level>")
@desk("staff")
@accepts_uploads(LIMITS["photo"])
def propose_plan(level: str) -> ResponseReturnValue:
    kindergarten, form = kindergarten_of_page(), PlanForm()
    if form.validate_on_submit():
        with refusals_in(form):
            ledger.propose_level(
                db(), kindergarten.id, level, shown_year(), by=actor(), now=clock(),
                reason=form.reason.data, version=_seen_version(form), seen=parse_uuid(form.seen.data),
                approval=form.approval(), **form.numbers(),
            )  # fmt: skip
            flash(_("已提交区级审批。审批前仍按原数字执行。"))
            return redirect(url_for("staff.places", at=kindergarten.id, year=shown_year()), 303)
    return _plan_page(level, form)


@pages.post("/places/<level>/from-roll")
@desk("staff")
def propose_from_roll(level: str) -> ResponseReturnValue:
    """Propose the continuing children of the roll in place of those of the plan."""
    kindergarten, form = kindergarten_of_page(), ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            place_plans.propose_from_roll(
                db(), kindergarten.id, level, shown_year(), version=request.form.get("version", type=whole_number),
                seen=parse_uuid(request.form.get("seen")), by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已提交区级审批。审批前仍按原数字执行。"))
    for text in form.form_errors:
        flash(text, "warn")
    return redirect(url_for("staff.places", at=kindergarten.id, year=shown_year()), 303)


@pages.get("/approval-papers/<uuid:paper_id>")
@desk("staff")
def approval_paper(paper_id: uuid.UUID) -> ResponseReturnValue:
    return approval_file(paper_id)


class LossForm(ApprovalFields):
    """A class that is lost after its places were offered."""

    classes = WholeField(_l("少几个班"), [InputRequired(_l("请填写")), NumberRange(1, 20)])
    from_day = CivilDate(_l("从哪天起"), [InputRequired(_l("请填写"))])
    solution = RadioField(_l("这些幼儿怎么安排"), choices=coded_choices("class_loss_solution", class_loss.Solution))
    reason = TextAreaField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=300)])


@pages.get("/places/<level>/class-loss")
@desk("staff")
def class_loss_form(level: str) -> ResponseReturnValue:
    return _loss_page(level, LossForm(data={"classes": 1, "from_day": city_day(), "solution": "another_room"}))


@pages.post("/places/<level>/class-loss")
@desk("staff")
@accepts_uploads(LIMITS["photo"])
def report_class_loss(level: str) -> ResponseReturnValue:
    kindergarten, form = kindergarten_of_page(), LossForm()
    if form.validate_on_submit():
        with refusals_in(form):
            class_loss.report(
                db(), kindergarten.id, level, shown_year(), classes=form.classes.data, from_day=form.from_day.data,
                reason=form.reason.data, solution=form.solution.data, approval=form.approval(), by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已报区里签字。已录取的家庭不受影响。"))
            return redirect(url_for("staff.places", at=kindergarten.id, year=shown_year()), 303)
    return _loss_page(level, form)


def _loss_page(level: str, form: LossForm) -> ResponseReturnValue:
    plan, line = _line_of(level)
    if line.programme is None or not line.programme.planned_classes:
        abort(404)
    classes = request.args.get("classes", form.classes.data or 1, whole_number)
    shown = min(max(classes, 1), line.programme.planned_classes)
    means = class_loss.consequences(line.programme, shown)
    return render_template("staff/class_loss.html", plan=plan, line=line, form=form, means=means, lost=shown)


def _open_of(line: LevelLine) -> str:
    return str(line.proposal.id) if line.proposal else ""


def _seen_version(form: PlanForm) -> int | None:
    return number_or(form.version.data, None)


def _version_of(line: LevelLine) -> str:
    return str(line.programme.version if line.programme else ledger.NO_PROGRAMME)


def _line_of(level: str) -> tuple[PlacePlan, LevelLine]:
    if level not in LEVELS:
        abort(404)
    kindergarten, year = kindergarten_of_page(), shown_year()
    plan = place_plans.place_plan(db(), kindergarten.id, year, by=actor(), now=clock())
    line = plan.line(level)
    if line is None:
        abort(404)
    return plan, line


def _plan_page(level: str, form: PlanForm | None) -> ResponseReturnValue:
    plan, line = _line_of(level)
    if form is None:
        values = {number: getattr(line.wanted, number) for number in NUMBERS}
        form = PlanForm(data=values | {"version": _version_of(line), "seen": _open_of(line)})
    return page_of(
        form, render_template("staff/place_plan.html", plan=plan, line=line, form=form, receipt=plan.receipt(level))
    )
