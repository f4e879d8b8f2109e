"""Withdrawing an application, after a page with the consequences; and reopening it."""

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import applications, submission
from portal.parents import pages
from portal.parents.form_pages import application_of, form_page
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/applications/<uuid:application_id>/withdraw")
@desk("parents")
def withdraw_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return form_page("withdraw", "check", application_of(application_id), PageForm())


@pages.post("/applications/<uuid:application_id>/withdraw")
@desk("parents")
def withdraw(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = PageForm()
    if form.validate_on_submit():
        with refusals_in(form):
            submission.withdraw(db(), application_id, by=actor(), now=clock())
            flash(_("申请已撤回。"))
            return redirect(url_for("parents.application_page", application_id=application_id), 303)
    return form_page("withdraw", "check", application, form)


@pages.post("/applications/<uuid:application_id>/again")
@desk("parents")
def apply_again(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    applications.start(db(), application.child_id, application.year, by=actor(), now=clock())
    flash(_("申请恢复为草稿，请检查后再提交。"))
    return redirect(url_for("parents.application_page", application_id=application_id), 303)


@pages.get("/consent/withdraw")
@desk("parents")
def withdraw_consent_page() -> ResponseReturnValue:
    return form_page("withdraw_consent", "consent", None, PageForm(), mine=applications.list_own(db(), by=actor()))


@pages.post("/consent/withdraw")
@desk("parents")
def withdraw_consent() -> ResponseReturnValue:
    form = PageForm()
    if form.validate_on_submit():
        with refusals_in(form):
            submission.withdraw_consent(db(), by=actor(), now=clock())
            flash(_("同意已撤回，申请已停止办理。"))
            return redirect(url_for("parents.data_page"), 303)
    return form_page("withdraw_consent", "consent", None, form, mine=applications.list_own(db(), by=actor()))
