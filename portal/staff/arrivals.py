"""Arrivals: note the checks, put the child on the roll, release the place of a no-show; lists for print."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField
from wtforms.validators import Length

from enrollment.ground import audit
from enrollment.ground.classifications import Level
from enrollment.offers import arrivals
from enrollment.places import roll
from enrollment.review import workload
from portal.staff import pages
from portal.staff.own_kindergartens import own_kindergartens
from portal.web.admission_year import admission_year
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

STATES = ("expected", "arrived", "no_show")
FIRST_CLASS: dict[str, str] = {
    Level.NURSERY: "托一班",
    Level.LOWER: "小一班",
    Level.MIDDLE: "中一班",
    Level.UPPER: "大一班",
}


class ArrivalForm(PageForm):
    health = BooleanField(_l("健康检查"))
    vaccination = BooleanField(_l("预防接种证"))
    class_name = StringField(_l("班级"), [Length(max=20)])


def list_page(
    form: PageForm, template: str = "staff/arrivals.html", per_page: int = arrivals.PER_PAGE
) -> ResponseReturnValue:
    year, state = admission_year(), request.args.get("state", "expected")
    state = state if state in STATES else "expected"
    found = arrivals.expected(
        db(), year, by=actor(), state=state, page=request.args.get("page", 1, int), per_page=per_page
    )
    audit.record(db(), "view", "arrival_list", year, by=actor(), now=clock(), reason="arrival", lines=len(found.items))
    classes = {
        line.name
        for kindergarten in own_kindergartens()
        for line in roll.class_list(db(), kindergarten.id, year, by=actor(), now=clock())
    }
    return render_template(
        template,
        form=form,
        year=year,
        state=state,
        states=STATES,
        found=found,
        counts=arrivals.counts(db(), year, by=actor()),
        begins=arrivals.begins_at(db(), year),
        classes=sorted(classes),
        first_class=FIRST_CLASS,
        several=len(own_kindergartens()) > 1,
    )


@pages.get("/arrivals", endpoint="arrivals")
@desk("staff")
def arrivals_list() -> ResponseReturnValue:
    return list_page(ArrivalForm(formdata=None))


@pages.get("/arrivals/print")
@desk("staff")
def arrivals_for_print() -> ResponseReturnValue:
    return list_page(ArrivalForm(formdata=None), "staff/arrivals_print.html", per_page=400)


@pages.post("/arrivals/<uuid:offer_id>")
@desk("staff")
def save_arrival(offer_id: uuid.UUID) -> ResponseReturnValue:
    """Save the checks, or with `act=arrived` put the child on the roll."""
    form = ArrivalForm()
    if form.validate_on_submit():
        checks = {"health": form.health.data, "vaccination": form.vaccination.data}
        with refusals_in(form):
            if request.form.get("act") == "arrived":
                arrivals.arrive(
                    db(),
                    offer_id,
                    class_name=form.class_name.data or "",
                    by=actor(),
                    now=clock(),
                    **checks,
                )
                flash(_("已报到，并记入在园名册。"))
            else:
                arrivals.note_checks(db(), offer_id, by=actor(), now=clock(), **checks)
                flash(_("查验情况已保存。"))
            return redirect(url_for("staff.arrivals"), 303)
    return list_page(form)


@pages.get("/notice-board")
@desk("staff")
def notice_board() -> ResponseReturnValue:
    """The notice board for print: registration codes only, no personal data."""
    year = admission_year()
    boards = [
        (
            kindergarten,
            workload.confirmed_codes(db(), kindergarten.id, year, by=actor()),
            arrivals.admitted_codes(db(), kindergarten.id, year, by=actor()),
        )
        for kindergarten in own_kindergartens()
    ]
    return render_template("staff/notice_board.html", boards=boards, year=year)
