"""The arrivals page: find a child, tick the checks, note the arrival; it works in a tablet without a network."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import Length

from enrollment.ground import audit
from enrollment.offers.arrivals import care, checks, children, classes, days, presence, taps
from enrollment.offers.arrivals.children import ArrivingChild, Group
from enrollment.offers.arrivals.rows import Check, TapAct
from enrollment.places import pinyin
from enrollment.places.kindergartens import Page
from enrollment.places.programmes import Programme
from portal.staff import pages
from portal.staff.own_kindergartens import own_kindergartens
from portal.text.numbers import whole_number
from portal.web.admission_year import shown_year
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

AT_THE_DOOR = (Group.EXPECTED, Group.ARRIVED, Group.MISSING)
"""The lists whose children have a card on the page."""


class DoorForm(PageForm):
    """The card of one child.  `shown` are the checks that the page showed as done: only what was changed is saved."""

    health = BooleanField(_l("体检表"))
    vaccination = BooleanField(_l("接种证"))
    pickup = BooleanField(_l("接送协议"))
    shown = HiddenField()
    class_name = StringField(_l("班级"), [Length(max=20)])


def year_of_page() -> int:
    """The year of the address; without one that in which children arrive now, though the next year may be under way."""
    return shown_year(default=days.year_of_arrivals(db(), now=clock()))


def group_of_page() -> Group:
    asked = request.args.get("group", Group.EXPECTED)
    return Group(asked) if asked in tuple(Group) else Group.EXPECTED


def class_choices(listed: Sequence[ArrivingChild]) -> dict[uuid.UUID, list[classes.ClassChoice]]:
    """The classes for each programme of these children."""
    programmes = {each.programme_id for each in listed}
    return {
        one: classes.choices(db(), db().get_one(Programme, one), by=actor(), now=clock())
        for one in sorted(programmes, key=str)
    }


def door_page(form: PageForm, opened: uuid.UUID | None = None) -> ResponseReturnValue:
    """The list; `opened` is the child whose form was refused."""
    year, group = year_of_page(), group_of_page()
    typed = request.args.get("q", "").strip()
    mine = own_kindergartens()
    counts = children.counts(db(), year, by=actor())
    has_all = counts.expected + counts.arrived <= children.MOST_CARDS
    page = None if has_all and group in AT_THE_DOOR else _page_of(year, group)
    listed = page.items if page is not None else [*_of(year, Group.EXPECTED), *_of(year, Group.ARRIVED)]
    with_cards, others = (listed, []) if group in AT_THE_DOOR else ([], listed)
    found = children.find(db(), year, typed, by=actor()) if typed else []
    lines = len(with_cards) + len(others)
    audit.record(db(), "view", "arrival_list", year, by=actor(), now=clock(), reason="arrival", lines=lines)
    context: dict[str, Any] = {
        "with_cards": with_cards,
        "others": others,
        "choices": class_choices([*with_cards, *found]),
        "counts": counts,
        "page": page,
        "has_all": has_all,
        "most_cards": children.MOST_CARDS,
        "begins": days.begins_at(db(), year),
        "ends": days.ends_at(db(), year),
        "needs": care.of_offers(db(), {each.offer_id for each in [*with_cards, *found]}, by=actor(), now=clock()),
        "to_match": len(taps.to_match(db(), [each.id for each in mine], year)),
    }
    return render_template(
        "staff/arrivals.html", form=form, year=year, group=group, groups=tuple(Group), checks=tuple(Check), typed=typed,
        found=found, opened=opened, kindergartens=mine, **context,
    )  # fmt: skip


def _page_of(year: int, group: Group) -> Page:
    return children.page_of_children(db(), year, group, by=actor(), page=request.args.get("page", 1, whole_number))


def _of(year: int, group: Group) -> list[ArrivingChild]:
    return children.children(db(), year, group, by=actor())


@pages.get("/arrivals", endpoint="arrivals")
@desk("staff")
def arrivals_list() -> ResponseReturnValue:
    return door_page(DoorForm(formdata=None))


@pages.get("/arrivals/print")
@desk("staff")
def arrivals_for_print() -> ResponseReturnValue:
    """The list on paper, by the sound of the names: at the door a teacher hears a name and looks for it."""
    year, group = year_of_page(), group_of_page()
    listed = sorted(_of(year, group), key=lambda each: (pinyin.sort_key(each.child_name), each.registration_code))
    audit.record(db(), "view", "arrival_list", year, by=actor(), now=clock(), reason="arrival", lines=len(listed))
    return render_template("staff/arrivals_print.html", year=year, group=group, listed=listed, checks=tuple(Check))


@pages.post("/arrivals/<uuid:offer_id>")
@desk("staff")
def save_arrival(offer_id: uuid.UUID) -> ResponseReturnValue:
    """Save the checks that were changed, and with `act` note the arrival, mend the class, or undo the arrival."""
    form = DoorForm()
    if form.validate_on_submit():
        with refusals_in(form):
            said = _act(offer_id, form)
            flash(said)
            return redirect(url_for("staff.arrivals", year=year_of_page(), group=group_of_page()), 303)
    return door_page(form, opened=offer_id)


def _act(offer_id: uuid.UUID, form: DoorForm) -> str:
    who: dict[str, Any] = {"by": actor(), "now": clock()}
    shown = (form.shown.data or "").split()
    for check in Check:
        if form[check].data != (check in shown):
            checks.note(db(), offer_id, check, form[check].data, **who)
    act, class_name = request.form.get("act"), form.class_name.data or ""
    if act == "arrived":
        presence.note(db(), offer_id, TapAct.ARRIVED, class_name=class_name, **who)
        return _("已报到，并记入在园名册。")
    if act == "class":
        presence.note(db(), offer_id, TapAct.CLASS, class_name=class_name, **who)
        return _("已换到%(name)s。", name=class_name)
    if act == "not_arrived":
        presence.note(db(), offer_id, TapAct.NOT_ARRIVED, **who)
        return _("报到已撤回，孩子回到等待报到的名单。")
    return _("查验情况已保存。")
