"""The roll of a kindergarten: classes, children (masked), entering, leaving, promotion, export."""

import uuid

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.places import promotion, roll, roll_corrections, spreadsheets
from enrollment.places.imports import cell_readers
from enrollment.places.imports.faults import CellError
from enrollment.places.roll import CLASS_LEVELS, LEAVE_REASONS, MOST_IN_A_CLASS
from enrollment.reports import roll_export
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.text.words import word
from portal.web.admission_year import asked_year
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

NEEDED = _l("请填写")
FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
LEAVING = tuple(reason for reason in LEAVE_REASONS if reason != "promoted")


class ClassForm(PageForm):
    """A class that is kept as a number of children."""

    class_name = StringField(_l("班级名称"), [InputRequired(NEEDED), Length(max=40)])
    level = SelectField(_l("年级"), choices=coded_choices("level", CLASS_LEVELS), default=Level.LOWER)
    children = IntegerField(_l("在园人数"), [InputRequired(NEEDED), NumberRange(0, MOST_IN_A_CLASS)])


class ChildForm(PageForm):
    """A child that enters a class."""

    name = StringField(_l("幼儿姓名"), [InputRequired(NEEDED), Length(max=40)])
    id_number = StringField(_l("证件号码"), [Length(max=30)])
    born = DateField(_l("出生日期"), [Optional()])
    entered_on = DateField(_l("入园日期"), [InputRequired(NEEDED)])

    def validate_id_number(self, field: Field) -> None:
        try:
            field.data = cell_readers.id_number(field.data or "")
        except CellError as bad:
            raise ValidationError(word("import_fault", bad.code, **bad.details)) from bad


class LeaveForm(PageForm):
    on = DateField(_l("离园日期"), [InputRequired(NEEDED)])
    reason = SelectField(_l("离园原因"), choices=coded_choices("leave_reason", LEAVING), default="transferred")


def _school_year() -> int:
    return asked_year() or roll.school_year_of(city_day())


@pages.get("/roll", endpoint="roll")
@desk("staff")
def roll_page() -> ResponseReturnValue:
    return _roll_page(ClassForm())


@pages.post("/roll")
@desk("staff")
def count_class() -> ResponseReturnValue:
    kindergarten, form = kindergarten_of_page(), ClassForm()
    if form.validate_on_submit():
        with refusals_in(form):
            roll.count_class(
                db(), kindergarten.id, name=form.class_name.data, level=form.level.data, school_year=_school_year(),
                children=form.children.data, by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已记录 %(name)s %(n)s 人。", name=form.class_name.data, n=form.children.data))
            return redirect(url_for("staff.roll", at=kindergarten.id, year=_school_year()), 303)
    return _roll_page(form)


def _roll_page(form: ClassForm) -> ResponseReturnValue:
    here, year = kindergarten_of_page(), _school_year()
    years = sorted({*roll.years_on_roll(db(), here.id), roll.school_year_of(city_day())}, reverse=True)
    return render_template(
        "staff/roll.html",
        here=here,
        kindergartens=own_kindergartens(),
        year=year,
        years=years,
        classes=roll.class_list(db(), here.id, year, by=actor(), now=clock()),
        form=form,
    )


@pages.get("/roll/classes/<uuid:class_id>")
@desk("staff")
def roll_class(class_id: uuid.UUID) -> ResponseReturnValue:
    return _class_page(class_id, ChildForm(data={"entered_on": city_day()}))


@pages.post("/roll/classes/<uuid:class_id>")
@desk("staff")
def enter_roll(class_id: uuid.UUID) -> ResponseReturnValue:
    form, here = ChildForm(), roll.class_in_scope(db(), class_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            roll.enter_child(
                db(), here.kindergarten_id, here.level, here.school_year, name=form.name.data, class_name=here.name,
                id_number=form.id_number.data, born=form.born.data, entered_on=form.entered_on.data,
                by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已登记入园。"))
            return redirect(url_for("staff.roll_class", class_id=class_id), 303)
    return _class_page(class_id, form)


def _class_page(class_id: uuid.UUID, form: ChildForm) -> ResponseReturnValue:
    here = roll.class_in_scope(db(), class_id, by=actor())
    children = roll.children_of(db(), class_id, by=actor(), now=clock(), page=request.args.get("page", 1, int))
    return render_template(
        "staff/roll_class.html",
        roll_class=here,
        children=children,
        corrected=roll_corrections.last_corrections(db(), [child.id for child in children.items]),
        form=form,
    )


@pages.get("/roll/children/<uuid:child_id>/leave")
@desk("staff")
def leave_form(child_id: uuid.UUID) -> ResponseReturnValue:
    return _leave_page(child_id, LeaveForm(data={"on": city_day()}))


@pages.post("/roll/children/<uuid:child_id>/leave")
@desk("staff")
def leave_roll(child_id: uuid.UUID) -> ResponseReturnValue:
    form, child = LeaveForm(), roll.lock_child_in_scope(db(), child_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            roll.leave(db(), child_id, on=form.on.data, reason=form.reason.data, by=actor(), now=clock())
            flash(_("已办理离园。"))
            return redirect(url_for("staff.roll_class", class_id=child.class_id), 303)
    return _leave_page(child_id, form)


def _leave_page(child_id: uuid.UUID, form: LeaveForm) -> ResponseReturnValue:
    child = roll.lock_child_in_scope(db(), child_id, by=actor())
    here = roll.class_in_scope(db(), child.class_id, by=actor())
    return render_template("staff/roll_leave.html", child=child, roll_class=here, form=form)


@pages.get("/roll/promote")
@desk("staff")
def promote_preview() -> ResponseReturnValue:
    return _promote_page(ActForm())


@pages.post("/roll/promote")
@desk("staff")
def promote_roll() -> ResponseReturnValue:
    here, form = kindergarten_of_page(), ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            done = promotion.promote(db(), here.id, _school_year(), by=actor(), now=clock())
            flash(_("已升班：%(n)s 名幼儿进入新学年，%(m)s 名毕业。", n=done.children, m=done.leavers))
            return redirect(url_for("staff.roll", at=here.id, year=_school_year() + 1), 303)
    return _promote_page(form)


def _promote_page(form: ActForm) -> ResponseReturnValue:
    here, year = kindergarten_of_page(), _school_year()
    try:
        seen, hindrance = promotion.preview(db(), here.id, year, by=actor(), now=clock()), None
    except Refused as refused:
        seen, hindrance = None, word("error", refused.code, **refused.details)
    return render_template("staff/roll_promote.html", here=here, year=year, seen=seen, hindrance=hindrance, form=form)


@pages.get("/roll/export.<form>")
@desk("staff")
def export_roll(form: str) -> ResponseReturnValue:
    """`what=classes`: numbers, which can be imported again; `what=children`: masked names."""
    here, year, what = kindergarten_of_page(), _school_year(), request.args.get("what", "classes")
    if form not in FORMATS or what not in ("classes", "children"):
        abort(404)
    if what == "classes":
        head = ["学校标识码", "学年", "班级", "年级段", "在园人数"]
        found = roll_export.export_classes(db(), here.id, year, by=actor(), now=clock())
        rows: list[tuple] = [
            (here.code, y, name, word("level", level, in_language="zh"), n) for y, name, level, n in found
        ]
    else:
        head = ["班级", "年级段", "幼儿（脱敏）", "证件（脱敏）", "出生", "入园"]
        children = roll_export.export_children(db(), here.id, year, by=actor(), now=clock())
        rows = [(c[0], word("level", c[1], in_language="zh"), *c[2:]) for c in children]
    body = spreadsheets.to_csv(head, rows) if form == "csv" else spreadsheets.to_xlsx("在园名册", head, rows)
    disposition = f"attachment; filename=roll-{here.code}-{year}-{what}.{form}"
    return Response(body, mimetype=FORMATS[form], headers={"Content-Disposition": disposition})
