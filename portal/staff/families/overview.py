"""The start page of what a kindergarten arranges for its families."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from enrollment.family_messages import sending
from enrollment.ground.accounts import Role
from enrollment.open_days import days
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.staff.own_kindergartens import own_kindergartens
from portal.text.numbers import whole_number
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, db


@pages.get("/families")
@desk("staff")
def families() -> ResponseReturnValue:
    here = kindergarten_of_page()
    listed = days.of_kindergarten(db(), here.id, by=actor())
    return render_template(
        "staff/families.html",
        here=here,
        kindergartens=own_kindergartens(),
        coming=[each for each in reversed(listed) if each.on_day >= city_day()],
        past=[each for each in listed if each.on_day < city_day()],
        sent=sending.sent(db(), here.id, by=actor(), page=request.args.get("page", 1, whole_number)),
        may_write=actor().is_any(Role.HEAD),
    )
