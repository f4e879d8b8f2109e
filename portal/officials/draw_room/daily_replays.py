"""Withdrawing the standing approval of daily replays."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from enrollment.draw import replay
from enrollment.ground.accounts import Account, Role
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.forms import OfficialForm
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class WithdrawForm(OfficialForm):
    reason = StringField(_l("收回的原因"), [Length(max=300)])
    sure = BooleanField(_l("从现在起不再自动递补"), [InputRequired(_l("请确认后再收回。"))])


def _page(round_id: uuid.UUID, form: WithdrawForm) -> ResponseReturnValue:
    signed = replay.approvals(db(), round_id)
    return render_template(
        "officials/daily_replays.html",
        round=rounds.get_round(db(), round_id),
        form=form,
        signed=[(db().get_one(Account, one.account_id).name, one.signed_at) for one in signed],
    )


@pages.get("/rounds/<uuid:round_id>/daily-replays/withdraw")
@desk("officials", Role.CITY_OFFICIAL)
def withdraw_daily_replays_page(round_id: uuid.UUID) -> ResponseReturnValue:
    return _page(round_id, WithdrawForm())


@pages.post("/rounds/<uuid:round_id>/daily-replays/withdraw")
@desk("officials", Role.CITY_OFFICIAL)
def withdraw_daily_replays(round_id: uuid.UUID) -> ResponseReturnValue:
    form = WithdrawForm()
    if form.validate_on_submit():
        with refusals_in(form):
            replay.withdraw_standing(db(), round_id, by=actor(), now=clock(), reason=form.reason.data or "")
            flash(_("每日递补的授权已收回。"))
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return _page(round_id, form)
