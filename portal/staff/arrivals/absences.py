"""Children who have not come: tries to reach the family, and one act that releases the places."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectMultipleField
from wtforms.validators import InputRequired

from enrollment.draw import freed_places
from enrollment.draw.vacancies import next_child
from enrollment.ground import audit
from enrollment.offers.arrivals import absences, children, days
from enrollment.offers.arrivals.children import Group
from enrollment.offers.arrivals.rows import CONTACT_WAYS, ContactOutcome
from portal.staff import pages
from portal.staff.arrivals.door import year_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.text.words import word
from portal.web.forms import ActForm, PageForm, coded_choices, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

CHOOSE = _l("请选一项")


class ContactForm(PageForm):
    way = RadioField(_l("怎么联系的"), [InputRequired(CHOOSE)], choices=coded_choices("contact_way", CONTACT_WAYS))
    outcome = RadioField(
        _l("家长怎么说"), [InputRequired(CHOOSE)], choices=coded_choices("contact_outcome", ContactOutcome)
    )


class ReleaseForm(PageForm):
    offers = SelectMultipleField(_l("释放学位的孩子"), validate_choice=False)


def _page(form: PageForm | None = None) -> ResponseReturnValue:
    year = year_of_page()
    listed = absences.absent(db(), year, by=actor(), now=clock())
    gone = children.children(db(), year, Group.GONE, by=actor())
    lines = len(listed) + len(gone)
    audit.record(db(), "view", "arrival_list", year, by=actor(), now=clock(), reason="arrival", lines=lines)
    return render_template(
        "staff/absences.html", form=form or ReleaseForm(formdata=None), year=year, absent=listed, gone=gone,
        ends=days.ends_at(db(), year), vacancies=next_child.vacancies(db(), year, by=actor(), now=clock()),
        several=len(own_kindergartens()) > 1,
    )  # fmt: skip


@pages.get("/arrivals/absent")
@desk("staff")
def absent_children() -> ResponseReturnValue:
    return _page()


@pages.post("/arrivals/absent")
@desk("staff", step_up=True)
def release_places() -> ResponseReturnValue:
    """Release the places of the chosen children in one act; a child that cannot be released stays, with its reason."""
    form = ReleaseForm()
    if form.validate_on_submit():
        chosen = [key for key in map(parse_uuid, form.offers.data or []) if key is not None]
        with refusals_in(form):
            results = absences.release(db(), chosen, by=actor(), now=clock())
            released = sum(each.refusal is None for each in results)
            flash(_("已释放 %(n)s 个学位，会按同一规则给下一个孩子。", n=released))
            for each in results:
                if each.refusal is not None:
                    flash(f"{each.registration_code} {word('error', each.refusal)}", "warn")
            return redirect(url_for("staff.absent_children", year=year_of_page()), 303)
    return _page(form)


@pages.get("/arrivals/<uuid:offer_id>/contact")
@desk("staff")
def arrival_contact_page(offer_id: uuid.UUID) -> ResponseReturnValue:
    return _contact(offer_id, ContactForm())


@pages.post("/arrivals/<uuid:offer_id>/contact")
@desk("staff")
def save_arrival_contact(offer_id: uuid.UUID) -> ResponseReturnValue:
    form = ContactForm()
    if form.validate_on_submit():
        with refusals_in(form):
            absences.record_contact(
                db(), offer_id, form.way.data or "", form.outcome.data or "", by=actor(), now=clock()
            )
            flash(_("联系情况已记下。"))
            return redirect(url_for("staff.absent_children", year=request.args.get("year")), 303)
    return _contact(offer_id, form)


def _contact(offer_id: uuid.UUID, form: ContactForm) -> ResponseReturnValue:
    line = absences.one_absent(db(), offer_id, by=actor(), now=clock())
    audit.record(db(), "view", "offer", offer_id, by=actor(), now=clock(), reason="arrival")
    return render_template("staff/arrival_contact.html", form=form, line=line, year=line.child.year)


@pages.post("/arrivals/<uuid:offer_id>/undo-no-show")
@desk("staff")
def undo_no_show(offer_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            freed_places.undo_no_show(db(), offer_id, by=actor(), now=clock())
            flash(_("学位已恢复，孩子回到等待报到的名单，家长会收到通知。"))
            return redirect(url_for("staff.absent_children", year=year_of_page()), 303)
    return _page(form)
