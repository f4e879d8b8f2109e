"""No-shows: a confirmation page before the place of a child that did not arrive is released."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from enrollment.ground import audit
from enrollment.offers import arrivals
from portal.staff import pages
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

DEFAULT_REASON = "到期未报到"
"""The default reason, in Chinese, the language of the office."""


class NoShowForm(PageForm):
    reason = StringField(_l("原因"), [InputRequired(_l("请写明原因。")), Length(max=300)], default=DEFAULT_REASON)


def _page(offer_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    line = arrivals.one_expected(db(), offer_id, by=actor())
    audit.record(db(), "view", "offer", offer_id, by=actor(), now=clock(), reason="arrival")
    return render_template("staff/no_show.html", form=form, line=line)


@pages.get("/arrivals/<uuid:offer_id>/no-show")
@desk("staff")
def no_show_page(offer_id: uuid.UUID) -> ResponseReturnValue:
    return _page(offer_id, NoShowForm())


@pages.post("/arrivals/<uuid:offer_id>/no-show")
@desk("staff")
def record_no_show(offer_id: uuid.UUID) -> ResponseReturnValue:
    form = NoShowForm()
    if form.validate_on_submit():
        with refusals_in(form):
            arrivals.did_not_come(db(), offer_id, reason=form.reason.data or "", by=actor(), now=clock())
            flash(_("学位已释放，会按同一规则给下一个孩子。"))
            return redirect(url_for("staff.arrivals"), 303)
    return _page(offer_id, form)
