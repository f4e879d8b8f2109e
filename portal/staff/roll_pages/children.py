"""A child on the roll: leaving, taking a leaving back, another class, a transfer to another kindergarten."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.places import roll
from enrollment.places.roll_changes import moves, transfers
from enrollment.places.roll_rows import BY_A_MOVE, LEAVE_REASONS
from portal.staff import pages
from portal.staff.roll_pages.transfers import due_day
from portal.web.forms import ActForm, CivilDate, PageForm, coded_choices, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

NEEDED = _l("请填写")
LEAVING = tuple(reason for reason in LEAVE_REASONS if reason not in BY_A_MOVE)


class LeaveForm(PageForm):
    on = CivilDate(_l("离园日期"), [InputRequired(NEEDED)])
    reason = SelectField(_l("离园原因"), choices=coded_choices("leave_reason", LEAVING), default="moved")


class ClassChangeForm(PageForm):
    to_class = SelectField(_l("换到哪个班"), validate_choice=False)
    day = CivilDate(_l("从哪天起"), [InputRequired(NEEDED)])


class TransferOutForm(PageForm):
    to_code = StringField(_l("对方幼儿园的学校标识码"), [InputRequired(NEEDED), Length(max=20)])
    moves_on = CivilDate(_l("转园日期"), [InputRequired(NEEDED)])
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=200)])


@pages.get("/roll/children/<uuid:child_id>/leave")
@desk("staff")
def leave_form(child_id: uuid.UUID) -> ResponseReturnValue:
    return _child_page(child_id, LeaveForm(data={"on": city_day()}))


@pages.post("/roll/children/<uuid:child_id>/leave")
@desk("staff")
def leave_roll(child_id: uuid.UUID) -> ResponseReturnValue:
    form, child = LeaveForm(), roll.lock_child_in_scope(db(), child_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            roll.leave(db(), child_id, on=form.on.data, reason=form.reason.data, by=actor(), now=clock())
            flash(_("已办理离园。"))
            return redirect(url_for("staff.roll_class", class_id=child.class_id), 303)
    return _child_page(child_id, form)


@pages.post("/roll/children/<uuid:child_id>/undo-leave")
@desk("staff")
def undo_leave(child_id: uuid.UUID) -> ResponseReturnValue:
    form, child = ActForm(), roll.lock_child_in_scope(db(), child_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            moves.undo_leave(db(), child_id, by=actor(), now=clock())
            flash(_("已撤销离园，这名幼儿仍在名册上。"))
    for text in form.form_errors:
        flash(text, "warn")
    return redirect(url_for("staff.roll_class", class_id=child.class_id), 303)


@pages.get("/roll/children/<uuid:child_id>/class")
@desk("staff")
def class_change_form(child_id: uuid.UUID) -> ResponseReturnValue:
    return _child_page(child_id, ClassChangeForm(data={"day": city_day()}))


@pages.post("/roll/children/<uuid:child_id>/class")
@desk("staff")
def change_roll_class(child_id: uuid.UUID) -> ResponseReturnValue:
    form, child = ClassChangeForm(), roll.lock_child_in_scope(db(), child_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            moved = moves.change_class(
                db(),
                child_id,
                parse_uuid(form.to_class.data) or child.class_id,
                day=form.day.data,
                by=actor(),
                now=clock(),
            )
            flash(_("已换班。"))
            return redirect(url_for("staff.roll_class", class_id=moved.class_id), 303)
    return _child_page(child_id, form)


@pages.get("/roll/children/<uuid:child_id>/transfer")
@desk("staff")
def transfer_out_form(child_id: uuid.UUID) -> ResponseReturnValue:
    return _child_page(child_id, TransferOutForm(data={"moves_on": city_day()}))


@pages.post("/roll/children/<uuid:child_id>/transfer")
@desk("staff")
def transfer_out(child_id: uuid.UUID) -> ResponseReturnValue:
    form, child = TransferOutForm(), roll.lock_child_in_scope(db(), child_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            transfers.ask_to_leave(
                db(), child_id, to_code=form.to_code.data, moves_on=form.moves_on.data, due_on=due_day(),
                reason=form.reason.data, by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已提出转园，等对方同意。办成以前这名幼儿仍在本园名册上。"))
            return redirect(url_for("staff.roll_class", class_id=child.class_id), 303)
    return _child_page(child_id, form)


def _child_page(child_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    child = roll.lock_child_in_scope(db(), child_id, by=actor())
    here = roll.class_in_scope(db(), child.class_id, by=actor())
    if isinstance(form, ClassChangeForm):
        lines = roll.class_list(db(), here.kindergarten_id, here.school_year, by=actor(), now=clock())
        form.to_class.choices = [
            (str(line.id), _("%(name)s（%(n)s 人）", name=line.name, n=line.children))
            for line in lines
            if line.id != here.id and line.kept_as == "rows"
        ]
    return render_template("staff/roll_child.html", child=child, roll_class=here, form=form)
