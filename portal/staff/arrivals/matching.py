"""Taps that could not take effect: a person finds the child, or sets the tap aside."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length, Optional

from enrollment.ground import audit
from enrollment.offers.arrivals import children, taps
from enrollment.offers.arrivals.children import Group
from enrollment.offers.arrivals.rows import TapAct
from enrollment.offers.arrivals.taps import Tap
from portal.staff import pages
from portal.staff.arrivals.door import class_choices, door_page, year_of_page
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.forms import ActForm, PageForm, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class NoteForm(PageForm):
    noted = StringField(
        _l("名单里找不到的孩子"), [InputRequired(_l("请写下孩子的姓名。")), Length(max=taps.LONGEST_NOTE)]
    )


class MatchForm(PageForm):
    offer_id = SelectField(_l("是哪个孩子"), [Optional()], validate_choice=False)

    class_name = SelectField(_l("班级"), [Optional()], validate_choice=False)

    def set_choices(self) -> None:
        listed = [
            each
            for group in (Group.EXPECTED, Group.ARRIVED)
            for each in children.children(db(), year_of_page(), group, by=actor())
        ]
        names = [(str(each.offer_id), f"{each.registration_code} {each.child_name}") for each in listed]
        self.offer_id.choices = [("", ""), *names]
        rooms = {one.name for found in class_choices(listed).values() for one in found}
        self.class_name.choices = [("", ""), *((name, name) for name in sorted(rooms))]


def _page(form: MatchForm | None = None, refused: uuid.UUID | None = None) -> ResponseReturnValue:
    form = form or MatchForm(formdata=None)
    form.set_choices()
    year = year_of_page()
    kept = taps.to_match(db(), [each.id for each in own_kindergartens()], year)
    audit.record(db(), "view", "arrival_list", year, by=actor(), now=clock(), reason="arrival", lines=len(kept))
    codes = {choice: label for choice, label in form.offer_id.choices}
    return render_template(
        "staff/arrivals_to_match.html", form=form, year=year, kept=kept, refused=refused, codes=codes
    )


@pages.get("/arrivals/to-match")
@desk("staff")
def arrivals_to_match() -> ResponseReturnValue:
    return _page()


@pages.post("/arrivals/note")
@desk("staff")
def note_unknown_child() -> ResponseReturnValue:
    """Note a child that nobody finds in the list; it is never sent away."""
    form = NoteForm()
    if form.validate_on_submit():
        tap = Tap(uuid.uuid4(), TapAct.NOTED, noted=form.noted.data or "")
        taps.take(db(), [tap], kindergarten_of_page().id, year_of_page(), by=actor(), now=clock())
        flash(_("已记下，在“待核对”里。"))
        return redirect(url_for("staff.arrivals", year=year_of_page()), 303)
    return door_page(form)


@pages.post("/arrivals/to-match/<uuid:tap_id>")
@desk("staff")
def match_tap(tap_id: uuid.UUID) -> ResponseReturnValue:
    form = MatchForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            found = parse_uuid(form.offer_id.data)
            taps.match(db(), tap_id, found, class_name=form.class_name.data or "", by=actor(), now=clock())
            flash(_("已核对。"))
            return redirect(url_for("staff.arrivals_to_match", year=year_of_page()), 303)
    return _page(form, tap_id)


@pages.post("/arrivals/to-match/<uuid:tap_id>/set-aside")
@desk("staff")
def set_tap_aside(tap_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            taps.set_aside(db(), tap_id, by=actor(), now=clock())
            flash(_("已放到一边，不再提示。"))
    return redirect(url_for("staff.arrivals_to_match", year=year_of_page()), 303)
