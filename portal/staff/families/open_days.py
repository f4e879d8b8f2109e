"""Open days: publishing, changing and cancelling one, and the list of who comes."""

import datetime as dt
import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField, TextAreaField, TimeField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from enrollment.ground import audit
from enrollment.open_days import days
from enrollment.open_days.days import LONGEST_TEXT, MOST_PLACES, MOST_SLOTS, DayPlan, SlotPlan
from enrollment.open_days.rows import OpenDay
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.text.formats import day
from portal.text.numbers import number_or
from portal.web.forms import CivilDate, PageForm, WholeField, page_of, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

ROWS = range(MOST_SLOTS)
PARTS = ("begins", "ends", "places")


class ClockTime(TimeField):
    """A time of day with an error message in the reader's language."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as fault:
            raise ValueError(_("请写成 09:30 这样的时间。")) from fault


class OpenDayForm(PageForm):
    """`version` is that of the day on the page.  A row of the slots counts when any part of it is filled in."""

    version = HiddenField()
    on_day = CivilDate(_l("哪一天"), [InputRequired(_l("请选一天。"))])
    meeting_point = StringField(_l("在哪里集合"), [InputRequired(_l("请写明地点。")), Length(max=LONGEST_TEXT)])
    note = TextAreaField(_l("给家长的说明"), [Length(max=LONGEST_TEXT)])

    def part(self, row: int, name: str) -> Any:
        return self[f"{name}_{row}"]

    def is_filled(self, row: int) -> bool:
        return any((self.part(row, name).raw_data or [""])[0].strip() for name in PARTS)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        for row in ROWS:
            for name in PARTS:
                part = self.part(row, name)
                if self.is_filled(row) and part.data is None and not part.errors:
                    part.errors = [_("请填写。")]
                    valid = False
        return valid

    def plan(self) -> DayPlan:
        slots = [
            SlotPlan(parse_uuid(self.part(row, "slot").data), *(self.part(row, name).data for name in PARTS))
            for row in ROWS
            if self.is_filled(row)
        ]
        return DayPlan(self.on_day.data, self.meeting_point.data.strip(), (self.note.data or "").strip(), slots)

    def take_newer(self) -> bool:
        open_day = days.find(db(), (request.view_args or {})["open_day_id"], by=actor())
        self.newer = [(str(self.on_day.label.text), day(open_day.on_day, year=True))]
        self.newer += [
            (_("时段"), f"{slot.begins:%H:%M}–{slot.ends:%H:%M} · {slot.taken}/{slot.places}")
            for slot in open_day.slots
        ]
        self.newer += [(str(self.meeting_point.label.text), open_day.meeting_point)]
        self.version.data = str(open_day.version)
        known = {str(slot.id) for slot in open_day.slots}
        for row in ROWS:
            if self.part(row, "slot").data not in known:
                self.part(row, "slot").data = ""
        return True


for _row in ROWS:
    setattr(OpenDayForm, f"slot_{_row}", HiddenField())
    setattr(OpenDayForm, f"begins_{_row}", ClockTime(_l("从"), [Optional()]))
    setattr(OpenDayForm, f"ends_{_row}", ClockTime(_l("到"), [Optional()]))
    setattr(
        OpenDayForm, f"places_{_row}",
        WholeField(_l("名额"), [Optional(), NumberRange(1, MOST_PLACES, _l("请填写 1 至 500 的整数"))]),
    )  # fmt: skip


class CancelForm(PageForm):
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因。")), Length(max=LONGEST_TEXT)])


def _values_of(open_day: OpenDay) -> dict[str, object]:
    values: dict[str, object] = {"version": open_day.version, "on_day": open_day.on_day}
    values |= {"meeting_point": open_day.meeting_point, "note": open_day.note}
    for row, slot in enumerate(open_day.slots):
        values |= {f"slot_{row}": str(slot.id), f"begins_{row}": slot.begins, f"ends_{row}": slot.ends}
        values |= {f"places_{row}": slot.places}
    return values


def _form_page(form: OpenDayForm, open_day: OpenDay | None) -> ResponseReturnValue:
    here = open_day.kindergarten if open_day is not None else kindergarten_of_page()
    taken = {str(slot.id): slot.taken for slot in open_day.slots} if open_day is not None else {}
    return page_of(
        form,
        render_template(
            "staff/open_day_form.html",
            form=form,
            here=here,
            open_day=open_day,
            rows=ROWS,
            taken=taken,
            today=city_day(),
        ),
    )


@pages.get("/open-days/new")
@desk("staff")
def new_open_day() -> ResponseReturnValue:
    first = {"begins_0": dt.time(9, 30), "ends_0": dt.time(10, 30), "places_0": 20}
    return _form_page(OpenDayForm(data=first | {"meeting_point": _("幼儿园大门")}), None)


@pages.post("/open-days/new")
@desk("staff")
def publish_open_day() -> ResponseReturnValue:
    here, form = kindergarten_of_page(), OpenDayForm()
    if form.validate_on_submit():
        with refusals_in(form):
            made = days.publish(db(), here.id, form.plan(), by=actor(), now=clock())
            flash(_("已发布，家长在幼儿园的页面上可以预约。"))
            return redirect(url_for("staff.open_day", open_day_id=made.id), 303)
    return _form_page(form, None)


@pages.get("/open-days/<uuid:open_day_id>/change")
@desk("staff")
def open_day_form(open_day_id: uuid.UUID) -> ResponseReturnValue:
    open_day = days.find(db(), open_day_id, by=actor())
    return _form_page(OpenDayForm(data=_values_of(open_day)), open_day)


@pages.post("/open-days/<uuid:open_day_id>/change")
@desk("staff")
def change_open_day(open_day_id: uuid.UUID) -> ResponseReturnValue:
    open_day, form = days.find(db(), open_day_id, by=actor()), OpenDayForm()
    if form.validate_on_submit():
        with refusals_in(form):
            version = number_or(form.version.data, -1)
            days.change(db(), open_day_id, form.plan(), version=version, by=actor(), now=clock())
            flash(_("已保存。时间或地点变了的家庭会收到消息。"))
            return redirect(url_for("staff.open_day", open_day_id=open_day_id), 303)
    return _form_page(form, open_day)


def _day_page(open_day_id: uuid.UUID, template: str, form: CancelForm) -> ResponseReturnValue:
    open_day = days.find(db(), open_day_id, by=actor())
    visitors = days.visitors(db(), open_day)
    audit.record(db(), "view", "open_day", open_day_id, by=actor(), now=clock(), reason="open_day", lines=len(visitors))
    can_change = open_day.cancelled_at is None and open_day.on_day >= city_day()
    return render_template(
        f"staff/{template}.html", open_day=open_day, visitors=visitors, form=form, can_change=can_change
    )


@pages.get("/open-days/<uuid:open_day_id>")
@desk("staff")
def open_day(open_day_id: uuid.UUID) -> ResponseReturnValue:
    return _day_page(open_day_id, "open_day", CancelForm())


@pages.get("/open-days/<uuid:open_day_id>/list")
@desk("staff")
def open_day_list(open_day_id: uuid.UUID) -> ResponseReturnValue:
    """The list for print."""
    return _day_page(open_day_id, "open_day_list", CancelForm(formdata=None))


@pages.post("/open-days/<uuid:open_day_id>/cancel")
@desk("staff")
def cancel_open_day(open_day_id: uuid.UUID) -> ResponseReturnValue:
    form = CancelForm()
    if form.validate_on_submit():
        with refusals_in(form):
            days.cancel(db(), open_day_id, reason=form.reason.data or "", by=actor(), now=clock())
            flash(_("已取消，预约的家庭会收到消息。"))
            return redirect(url_for("staff.open_day", open_day_id=open_day_id), 303)
    return _day_page(open_day_id, "open_day", form)
