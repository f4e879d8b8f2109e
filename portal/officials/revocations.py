"""Revoking an offer because of false statements: search by registration code, two signatures."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, TextAreaField
from wtforms.validators import InputRequired, Length

from enrollment.ground import audit
from enrollment.offers import revocations
from portal.officials import pages
from portal.officials.forms import OfficialForm
from portal.officials.scope import DECIDERS, area_names
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class RevokeForm(OfficialForm):
    reason = TextAreaField(_l("查实的虚假情况"), [Length(max=revocations.LONGEST_REASON)])
    sure = BooleanField(_l("虚假情况已经查实，家庭的说明已经听取"), [InputRequired(_l("请确认后再签署。"))])


@pages.get("/cases/revocations", endpoint="revocations")
@desk("officials", *DECIDERS)
def revocation_list() -> ResponseReturnValue:
    """Revocations that wait for the second signature, and the search for an offer by registration code."""
    code = request.args.get("code", "").strip()[:40]
    return render_template(
        "officials/revocations.html",
        code=code,
        found=revocations.find_code(db(), code, by=actor()) if code else [],
        waiting=revocations.waiting(db(), by=actor()),
        area_names=area_names(),
    )


def _revoke_page(offer_id: uuid.UUID, form: RevokeForm) -> ResponseReturnValue:
    found = revocations.find(db(), offer_id, by=actor())
    audit.record(db(), "view", "offer", offer_id, by=actor(), now=clock())
    return render_template(
        "officials/revoke.html",
        form=form,
        found=found,
        mine=found.proposed is not None and found.proposed.by == actor().account_id,
        area_names=area_names(),
    )


@pages.get("/cases/revocations/<uuid:offer_id>")
@desk("officials", *DECIDERS)
def revoke_page(offer_id: uuid.UUID) -> ResponseReturnValue:
    return _revoke_page(offer_id, RevokeForm())


@pages.post("/cases/revocations/<uuid:offer_id>")
@desk("officials", *DECIDERS, step_up=True)
def revoke_offer(offer_id: uuid.UUID) -> ResponseReturnValue:
    revocations.find(db(), offer_id, by=actor())
    form = RevokeForm()
    if form.validate_on_submit():
        with refusals_in(form):
            over = revocations.revoke(db(), offer_id, by=actor(), now=clock(), reason=form.reason.data or "")
            if over:
                flash(_("录取已撤销，家庭会收到通知，学位由下一次递补给下一个孩子。"))
            else:
                flash(_("已签署。还需要另一位工作人员签署才会撤销。"))
            return redirect(url_for("officials.revocations"), 303)
    return _revoke_page(offer_id, form)
