"""Changing the announced hour of a result."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from enrollment.draw.publication import hours
from enrollment.ground.accounts import Role
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.forms import ChengduTime, OfficialForm
from portal.text.formats import moment
from portal.web.forms import page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class HourForm(OfficialForm):
    """The new hour; `seen` holds the one that the page showed."""

    seen = HiddenField()
    hour = ChengduTime(_l("公布时间"))
    reason = StringField(_l("改动原因"), [Length(max=200)])

    def take_newer(self) -> bool:
        announced = hours.hour_of(db(), rounds.get_round(db(), (request.view_args or {})["round_id"]))
        self.newer = [(str(self.hour.label.text), moment(announced) if announced else _("还没有宣布公布时间。"))]
        self.seen.data = hours.as_text(announced)
        return True


def _page(round_id: uuid.UUID, form: HourForm | None = None) -> ResponseReturnValue:
    round_ = rounds.get_round(db(), round_id)
    announced = hours.hour_of(db(), round_)
    form = form or HourForm(data={"hour": announced, "seen": hours.as_text(announced)})
    return page_of(form, render_template("officials/hour.html", round=round_, announced=announced, form=form))


@pages.get("/rounds/<uuid:round_id>/hour")
@desk("officials", Role.CITY_OFFICIAL)
def hour_page(round_id: uuid.UUID) -> ResponseReturnValue:
    return _page(round_id)


@pages.post("/rounds/<uuid:round_id>/hour")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def change_hour(round_id: uuid.UUID) -> ResponseReturnValue:
    form = HourForm()
    if form.validate_on_submit():
        with refusals_in(form):
            hours.change(
                db(), round_id, hour=form.hour.moment, reason=form.reason.data or "", was=form.seen.data,
                by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("新的公布时间已宣布。"))
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return _page(round_id, form)
