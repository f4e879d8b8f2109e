"""A case of one's own is taken back, with a reason."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField

from enrollment.review import case_withdrawals, cases
from portal.parents import pages
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class TakeBackForm(PageForm):
    reason = TextAreaField(_l("为什么收回"))


def _view(case_id: uuid.UUID, form: TakeBackForm) -> ResponseReturnValue:
    case = case_withdrawals.own_case(db(), case_id, by=actor())
    return render_template("parents/case_take_back.html", case=case, form=form, holding=cases.is_holding(case))


@pages.get("/cases/<uuid:case_id>/take-back")
@desk("parents")
def take_back_case_page(case_id: uuid.UUID) -> ResponseReturnValue:
    return _view(case_id, TakeBackForm())


@pages.post("/cases/<uuid:case_id>/take-back")
@desk("parents")
def take_back_case(case_id: uuid.UUID) -> ResponseReturnValue:
    form = TakeBackForm()
    if form.validate_on_submit():
        with refusals_in(form):
            case_withdrawals.take_back(db(), case_id, reason=form.reason.data or "", by=actor(), now=clock())
            flash(_("已经收回，按撤回办结。"))
            return redirect(url_for("parents.home"), 303)
    return _view(case_id, form)
