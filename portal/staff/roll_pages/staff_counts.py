"""The staff of the kindergarten: the counts of its days, and a new one."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.validators import InputRequired, NumberRange

from enrollment.places.staffing import counts
from enrollment.places.staffing.rows import MOST_STAFF
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.text.numbers import whole_number
from portal.web.forms import CivilDate, PageForm, WholeField, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

NEEDED = _l("请填写")


class StaffForm(PageForm):
    teachers = WholeField(_l("专任教师"), [InputRequired(NEEDED), NumberRange(0, MOST_STAFF)])
    carers = WholeField(_l("保育员"), [InputRequired(NEEDED), NumberRange(0, MOST_STAFF)])
    day = CivilDate(_l("是哪一天的人数"), [InputRequired(NEEDED)])


@pages.get("/roll/staff")
@desk("staff")
def staff_counts() -> ResponseReturnValue:
    return _page(StaffForm(data={"day": city_day()}))


@pages.post("/roll/staff")
@desk("staff")
def count_staff() -> ResponseReturnValue:
    here, form = kindergarten_of_page(), StaffForm()
    if form.validate_on_submit():
        with refusals_in(form):
            counts.enter(db(), here.id, form.day.data, form.teachers.data, form.carers.data, by=actor(), now=clock())
            flash(_("教职工人数已登记。"))
            return redirect(url_for("staff.staff_counts", at=here.id), 303)
    return _page(form)


def _page(form: StaffForm) -> ResponseReturnValue:
    here = kindergarten_of_page()
    return render_template(
        "staff/staff_counts.html",
        form=form,
        here=here,
        kindergartens=own_kindergartens(),
        history=counts.history(db(), here.id, by=actor(), page=request.args.get("page", 1, whole_number)),
    )
