"""The page of a class: its children or its number, entering a child, and the changes of the class itself."""

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.offers.arrivals import care
from enrollment.places import roll, roll_checks, roll_corrections
from enrollment.places.imports import cell_readers
from enrollment.places.imports.faults import CellError
from enrollment.places.roll import RollClass
from enrollment.places.roll_changes import classes, counts, entry_chain
from enrollment.places.roll_rows import MOST_IN_A_CLASS
from portal.staff import pages
from portal.text.formats import day
from portal.text.numbers import number_or, whole_number
from portal.text.words import word
from portal.web.forms import ActForm, CivilDate, PageForm, WholeField, page_of, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.shared_views.approval_papers import ApprovalFields
from portal.web.unit_of_work import actor, city_day, clock, db
from portal.web.upload_fields import accepts_uploads

NEEDED = _l("请填写")


class ChildForm(PageForm):
    """A child that enters a class."""

    name = StringField(_l("幼儿姓名"), [InputRequired(NEEDED), Length(max=40)])
    id_number = StringField(_l("证件号码"), [Length(max=30)])
    born = CivilDate(_l("出生日期"), [Optional()])
    entered_on = CivilDate(_l("入园日期"), [InputRequired(NEEDED)])

    def validate_id_number(self, field: Field) -> None:
        try:
            field.data = cell_readers.id_number(field.data or "")
        except CellError as bad:
            raise ValidationError(word("import_fault", bad.code, **bad.details)) from bad


class CountForm(ApprovalFields):
    """The number of a class from a day on; `seen` is the newest entry of the page."""

    seen = HiddenField()
    children = WholeField(_l("在园人数"), [InputRequired(NEEDED), NumberRange(0, MOST_IN_A_CLASS)])
    day = CivilDate(_l("从哪天起"), [InputRequired(NEEDED)])
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=200)])

    def take_newer(self) -> bool:
        count, _maker, _decider = counts.entries(db(), [(request.view_args or {})["class_id"]])[0]
        self.newer = [(self.children.label.text, str(count.children)), (self.day.label.text, day(count.day, True))]
        self.seen.data = str(count.number)
        return True


class RenameForm(PageForm):
    class_name = StringField(_l("新的班名"), [InputRequired(NEEDED), Length(max=40)])
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=200)])


class MergeForm(PageForm):
    into = SelectField(_l("并入哪个班"), validate_choice=False)
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=200)])


class CloseForm(PageForm):
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=200)])


@pages.get("/roll/classes/<uuid:class_id>")
@desk("staff")
def roll_class(class_id: uuid.UUID) -> ResponseReturnValue:
    return _class_page(class_id)


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
    return _class_page(class_id, child=form)


@pages.post("/roll/classes/<uuid:class_id>/count")
@desk("staff")
@accepts_uploads(LIMITS["photo"])
def count_class(class_id: uuid.UUID) -> ResponseReturnValue:
    form = CountForm()
    if form.validate_on_submit():
        with refusals_in(form):
            entry = counts.enter(
                db(), class_id, children=form.children.data, day=form.day.data, reason=form.reason.data,
                seen=number_or(form.seen.data, None), approval=form.approval(), by=actor(), now=clock(),
            )  # fmt: skip
            flash(_said_of(entry.state if entry else None))
            return redirect(url_for("staff.roll_class", class_id=class_id), 303)
    return _class_page(class_id, count=form)


def _said_of(state: str | None) -> str:
    if state is None:
        return _("人数没有变化。")
    return _("已记下，等第二人确认后生效。") if state == "open" else _("已记下，从那天起生效。")


@pages.post("/roll/counts/<int:number>")
@desk("staff")
def decide_count(number: int) -> ResponseReturnValue:
    """`act=agree` or `act=refuse`, by a second person; who made the entry takes it back."""
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            done = counts.decide(db(), number, agree=request.form.get("act") == "agree", by=actor(), now=clock())
            flash(word("count_state", done.state))
            return redirect(url_for("staff.roll_class", class_id=done.class_id), 303)
    flash(form.form_errors[0] if form.form_errors else "", "warn")
    return redirect(url_for("staff.roll_class", class_id=counts.class_of(db(), number, by=actor())), 303)


@pages.post("/roll/classes/<uuid:class_id>/rename")
@desk("staff")
def rename_class(class_id: uuid.UUID) -> ResponseReturnValue:
    form = RenameForm(prefix="rename")
    if form.validate_on_submit():
        with refusals_in(form):
            named = classes.rename(
                db(), class_id, name=form.class_name.data, reason=form.reason.data, by=actor(), now=clock()
            )
            flash(_("已改名：%(name)s。", name=named.name))
            return redirect(url_for("staff.roll_class", class_id=class_id), 303)
    return _class_page(class_id, rename=form)


@pages.post("/roll/classes/<uuid:class_id>/merge")
@desk("staff")
def merge_class(class_id: uuid.UUID) -> ResponseReturnValue:
    form = MergeForm(prefix="merge")
    if form.validate_on_submit():
        with refusals_in(form):
            into = classes.merge(
                db(), class_id, parse_uuid(form.into.data) or class_id, reason=form.reason.data, by=actor(), now=clock()
            )
            flash(_("已并入%(name)s。", name=into.name))
            return redirect(url_for("staff.roll_class", class_id=into.id), 303)
    return _class_page(class_id, merge=form)


@pages.post("/roll/classes/<uuid:class_id>/close")
@desk("staff")
def close_class(class_id: uuid.UUID) -> ResponseReturnValue:
    form = CloseForm(prefix="close")
    if form.validate_on_submit():
        with refusals_in(form):
            closed = classes.close(db(), class_id, reason=form.reason.data, by=actor(), now=clock())
            flash(_("已撤班：%(name)s。", name=closed.name))
            return redirect(url_for("staff.roll", at=closed.kindergarten_id, year=closed.school_year), 303)
    return _class_page(class_id, close=form)


def _class_page(class_id: uuid.UUID, **forms: PageForm) -> ResponseReturnValue:
    here = roll.class_in_scope(db(), class_id, by=actor())
    children = roll.children_of(db(), class_id, by=actor(), now=clock(), page=request.args.get("page", 1, whole_number))
    shown = render_template(
        "staff/roll_class.html",
        roll_class=here,
        me=actor().account_id,
        norm=roll_checks.norm_of(here.level),
        children=children,
        entered=entry_chain.entered_kindergarten_on(db(), children.items, here.kindergarten_id),
        needs=care.of_roll(db(), [child.id for child in children.items], by=actor(), now=clock()),
        corrected=roll_corrections.last_corrections(db(), [child.id for child in children.items]),
        left=roll.recently_left(db(), class_id, by=actor(), now=clock()),
        entries=counts.entries(db(), [class_id]),
        may_change=roll_checks.may_change(here.school_year, by=actor(), now=clock()) and here.closed_on is None,
        forms=_forms(here, forms),
        failed=next(iter(forms.values()), None),
    )
    return page_of(next(iter(forms.values()), None), shown)


def _forms(here: RollClass, sent: dict[str, PageForm]) -> dict[str, Any]:
    """The forms of the page: the one that was sent, and fresh ones."""
    newest = next((count for count, _maker, _decider in counts.entries(db(), [here.id])), None)
    first = max(city_day(), roll.day_within(here.school_year, clock()))
    fresh: dict[str, Any] = {
        "child": lambda: ChildForm(formdata=None, data={"entered_on": first}),
        "count": lambda: CountForm(
            formdata=None, data={"children": here.counted, "day": first, "seen": newest.number if newest else ""}
        ),
        "rename": lambda: RenameForm(formdata=None, prefix="rename", data={"class_name": here.name}),
        "merge": lambda: MergeForm(formdata=None, prefix="merge"),
        "close": lambda: CloseForm(formdata=None, prefix="close"),
    }
    forms = {name: sent.get(name) or make() for name, make in fresh.items()}
    forms["merge"].into.choices = [
        (str(line.id), line.name)
        for line in roll.class_list(db(), here.kindergarten_id, here.school_year, by=actor(), now=clock())
        if line.id != here.id and (line.level, line.kept_as) == (here.level, here.kept_as)
    ]
    return forms
