"""A family, or a helper for it, books a time of an open day for a child, sees its visits, and cancels one."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.applications.application_rows import Application
from enrollment.open_days import visits
from enrollment.open_days.rows import OpenDay
from enrollment.open_days.visits import LONGEST_NEEDS, MOST_ADULTS
from portal.parents import pages
from portal.web.forms import ActForm, PageForm, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class VisitForm(PageForm):
    slot = RadioField(_l("哪个时段"), [InputRequired(_l("请选一个时段。"))], validate_choice=False)
    child = RadioField(_l("哪个孩子来"), [InputRequired(_l("请选要来的孩子。"))], validate_choice=False)
    adults = SelectField(
        _l("几位大人陪同"), [InputRequired(_l("请选一项。"))], choices=[(str(n), str(n)) for n in range(1, MOST_ADULTS + 1)],
        default="1",
    )  # fmt: skip
    needs = StringField(_l("需要的照顾（可不填）"), [Length(max=LONGEST_NEEDS)])

    def offer(self, open_day: OpenDay, children: list[Application]) -> None:
        self.slot.choices = [
            (str(slot.id), f"{slot.begins:%H:%M}–{slot.ends:%H:%M}")
            for slot in open_day.slots
            if slot.begins_at > clock()
        ]
        self.child.choices = [(str(each.child_id), each.child.name) for each in children]


def _page(open_day: OpenDay, form: VisitForm, children: list[Application]) -> ResponseReturnValue:
    form.offer(open_day, children)
    mine = [each for each in visits.own_visits(db(), by=actor(), now=clock()) if each.open_day_id == open_day.id]
    return render_template(
        "parents/open_day.html", open_day=open_day, form=form, children=children, mine=mine,
        can_book=open_day.cancelled_at is None and bool(form.slot.choices),
    )  # fmt: skip


@pages.get("/open-days/<uuid:open_day_id>")
@desk("parents", allows_helper=True)
def open_day_page(open_day_id: uuid.UUID) -> ResponseReturnValue:
    open_day, children = visits.open_day_of(db(), open_day_id), visits.own_children(db(), by=actor())
    chosen = {"slot": request.args.get("slot")} | ({"child": str(children[0].child_id)} if len(children) == 1 else {})
    return _page(open_day, VisitForm(data=chosen), children)


@pages.post("/open-days/<uuid:open_day_id>")
@desk("parents", allows_helper=True)
def book_open_day(open_day_id: uuid.UUID) -> ResponseReturnValue:
    open_day, form = visits.open_day_of(db(), open_day_id), VisitForm()
    children = visits.own_children(db(), by=actor())
    form.offer(open_day, children)
    if form.validate_on_submit():
        with refusals_in(form):
            visits.book(
                db(), open_day_id, parse_uuid(form.slot.data), parse_uuid(form.child.data),
                adults=int(form.adults.data), needs=form.needs.data or "", by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("已预约。每位监护人都会收到消息。"))
            return redirect(url_for("parents.own_visits"), 303)
        db().expire_all()  # the page shows what is free now
    return _page(open_day, form, children)


@pages.get("/open-days")
@desk("parents", allows_helper=True)
def own_visits() -> ResponseReturnValue:
    mine = visits.own_visits(db(), by=actor(), now=clock())
    return render_template("parents/open_days.html", mine=mine, now=clock())


@pages.post("/open-days/visits/<uuid:visit_id>/cancel")
@desk("parents", allows_helper=True)
def cancel_visit(visit_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            visits.cancel(db(), visit_id, by=actor(), now=clock())
            flash(_("已取消，名额让给别的家庭。"))
    for text in form.form_errors:
        flash(text, "warn")
    return redirect(url_for("parents.own_visits"), 303)
