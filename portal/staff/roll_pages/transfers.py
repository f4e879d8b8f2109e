"""Transfers 转园 at the desk: those that wait, asking for a child of another kindergarten, agreeing, refusing."""

import datetime as dt
import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.places import roll
from enrollment.places.roll_changes import transfer_entries, transfers
from enrollment.season import holidays
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.forms import CivilDate, PageForm, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

NEEDED = _l("请填写")


class TransferInForm(PageForm):
    """A child of another kindergarten: where it is on the roll is not told."""

    name = StringField(_l("幼儿姓名"), [InputRequired(NEEDED), Length(max=40)])
    id_number = StringField(_l("证件号码"), [InputRequired(NEEDED), Length(max=30)])
    to_class = SelectField(_l("进哪个班"), validate_choice=False)
    moves_on = CivilDate(_l("转园日期"), [InputRequired(NEEDED)])
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=200)])


class AgreeForm(PageForm):
    to_class = SelectField(_l("进哪个班"), validate_choice=False)


class RefuseForm(PageForm):
    remark = StringField(_l("原因"), [InputRequired(_l("请写明原因，台账会留存。")), Length(max=200)])


def due_day() -> dt.date:
    """The last day for a transfer that is asked for today."""
    day = city_day()
    return holidays.of_year(db(), day.year).working_day_after(day, transfers.WORKING_DAYS)


@pages.get("/roll/transfers")
@desk("staff")
def roll_transfers() -> ResponseReturnValue:
    return _transfers_page(TransferInForm(data={"moves_on": city_day()}))


@pages.post("/roll/transfers")
@desk("staff")
def transfer_in() -> ResponseReturnValue:
    here, form = kindergarten_of_page(), TransferInForm()
    if form.validate_on_submit():
        with refusals_in(form):
            transfers.ask_to_take(
                db(), parse_uuid(form.to_class.data) or here.id, id_number=form.id_number.data, name=form.name.data,
                moves_on=form.moves_on.data, due_on=due_day(), reason=form.reason.data, by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已提出转入，等原园同意。"))
            return redirect(url_for("staff.roll_transfers", at=here.id), 303)
    return _transfers_page(form)


@pages.get("/roll/transfers/<uuid:transfer_id>")
@desk("staff")
def roll_transfer(transfer_id: uuid.UUID) -> ResponseReturnValue:
    return _transfer_page(transfer_id, AgreeForm(), RefuseForm())


@pages.post("/roll/transfers/<uuid:transfer_id>/agree")
@desk("staff")
def agree_transfer(transfer_id: uuid.UUID) -> ResponseReturnValue:
    form = AgreeForm()
    if form.validate_on_submit():
        with refusals_in(form):
            transfers.agree(db(), transfer_id, class_id=parse_uuid(form.to_class.data), by=actor(), now=clock())
            flash(_("转园已办成，名册从转园日起更新。"))
            return redirect(url_for("staff.roll_transfers"), 303)
    return _transfer_page(transfer_id, form, RefuseForm(formdata=None))


@pages.post("/roll/transfers/<uuid:transfer_id>/refuse")
@desk("staff")
def refuse_transfer(transfer_id: uuid.UUID) -> ResponseReturnValue:
    form = RefuseForm()
    if form.validate_on_submit():
        with refusals_in(form):
            transfers.refuse(db(), transfer_id, remark=form.remark.data, by=actor(), now=clock())
            flash(_("这件转园已结束，名册没有变。"))
            return redirect(url_for("staff.roll_transfers"), 303)
    return _transfer_page(transfer_id, AgreeForm(formdata=None), form)


def _class_choices(kindergarten_id: uuid.UUID, first: dt.date, last: dt.date) -> list[tuple[str, str]]:
    """The classes of the school years of these days; the year stands with each of another year than today's."""
    lines = transfer_entries.classes_on(db(), kindergarten_id, first, last, by=actor(), now=clock())
    this_year = roll.school_year_of(city_day())
    told = [
        line.name if line.school_year == this_year else _("%(name)s · %(n)s 学年", name=line.name, n=line.school_year)
        for line in lines
    ]
    return [
        (str(line.id), _("%(name)s（%(n)s 人）", name=name, n=line.children))
        for line, name in zip(lines, told, strict=True)
    ]


def _transfers_page(form: TransferInForm) -> ResponseReturnValue:
    here = kindergarten_of_page()
    last = city_day() + dt.timedelta(days=transfers.MOST_DAYS_AHEAD)
    form.to_class.choices = _class_choices(here.id, city_day(), last)
    return render_template(
        "staff/roll_transfers.html",
        here=here,
        kindergartens=own_kindergartens(),
        lines=transfers.listing(db(), by=actor(), kindergarten_id=here.id, only_open=False),
        today=city_day(),
        form=form,
    )


def _transfer_page(transfer_id: uuid.UUID, form: AgreeForm, refuse: RefuseForm) -> ResponseReturnValue:
    line = transfers.line_in_scope(db(), transfer_id, by=actor())
    form.to_class.choices = []
    if line.waits_here and not line.is_out:
        day = transfer_entries.first_day(db(), line.transfer, now=clock())
        form.to_class.choices = _class_choices(line.to_kindergarten.id, day, day)
    return render_template("staff/roll_transfer.html", line=line, today=city_day(), form=form, refuse=refuse)
