"""The second person agrees to a change of an account, or not; the setup code for the person who asked."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.staff_accounts import changes, setup_codes
from portal.officials import pages
from portal.officials.scope import DECIDERS
from portal.web.forms import ActForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.post("/accounts/changes/<uuid:change_id>")
@desk("officials", *DECIDERS, step_up=True)
def decide_account_change(change_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            changes.decide(db(), change_id, agreed=request.form.get("agree") == "y", by=actor(), now=clock())
            flash(_("已记下您的决定。"))
        for fault in form.form_errors:
            flash(str(fault), "warn")
    return redirect(url_for("officials.accounts"), 303)


@pages.post("/accounts/changes/<uuid:change_id>/code")
@desk("officials", *DECIDERS, step_up=True)
def make_setup_code(change_id: uuid.UUID) -> ResponseReturnValue:
    """The code is in this answer alone, so the answer is no redirect."""
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            code = setup_codes.make(db(), change_id, by=actor(), now=clock())
            login = changes.find(db(), change_id, by=actor()).login
            return render_template("officials/account_code.html", code=code, login=login)
        for fault in form.form_errors:
            flash(str(fault), "warn")
    return redirect(url_for("officials.accounts"), 303)
