"""Withdrawing an application, after a page with the consequences; and reopening it."""

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import HiddenField

from enrollment.applications import applications, units
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.offers import withdrawals
from portal.parents import pages
from portal.parents.form_pages import application_of, form_page, names_of
from portal.parents.people import decisions
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class WithdrawalForm(PageForm):
    """`seen` is the consequence that the page showed: one that has changed meanwhile is shown before anything is done."""

    seen = HiddenField()

    def show(self, stamp: str) -> None:
        self.seen.data = stamp


def _withdraw_page(application: Application, form: WithdrawalForm) -> ResponseReturnValue:
    found = withdrawals.consequence(db(), application, by=actor(), now=clock())
    waiting = decisions.waiting_decision(application)
    bound_names = names_of(units.others_of(db(), application))
    form.show(found.stamp)
    return form_page(
        "withdraw", "check", application, form, consequence=found, waiting=waiting, bound_names=bound_names
    )


@pages.get("/applications/<uuid:application_id>/withdraw")
@desk("parents")
def withdraw_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    if application.stage in DEAD_STAGES:  # nothing is left to withdraw; the application says how to go on
        return redirect(url_for("parents.application_page", application_id=application_id), 303)
    return _withdraw_page(application, WithdrawalForm())


@pages.post("/applications/<uuid:application_id>/withdraw")
@desk("parents")
def withdraw(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = WithdrawalForm()
    if form.validate_on_submit():
        with refusals_in(form):
            withdrawals.withdraw(db(), application_id, seen=form.seen.data or "", by=actor(), now=clock())
            waits = decisions.waiting_decision(application) is not None
            flash(_("已提出撤回，另一位监护人已收到通知。") if waits else _("申请已撤回。"))
            return redirect(url_for("parents.application_page", application_id=application_id), 303)
    return _withdraw_page(application, form)


@pages.post("/applications/<uuid:application_id>/again")
@desk("parents")
def apply_again(application_id: uuid.UUID) -> ResponseReturnValue:
    if applications.apply_again(db(), application_id, by=actor(), now=clock()):
        flash(_("申请恢复为草稿，请检查后再提交。"))
    return redirect(url_for("parents.application_page", application_id=application_id), 303)


@pages.get("/consent/withdraw")
@desk("parents")
def withdraw_consent_page() -> ResponseReturnValue:
    return _consent_page(WithdrawalForm())


def _consent_page(form: WithdrawalForm) -> ResponseReturnValue:
    mine = applications.list_own(db(), by=actor())
    found = [withdrawals.consequence(db(), each, by=actor(), now=clock()) for each in mine]
    form.show(withdrawals.stamp_of(found))
    return form_page("withdraw_consent", "consent", None, form, consequences=found)


@pages.post("/consent/withdraw")
@desk("parents")
def withdraw_consent() -> ResponseReturnValue:
    form = WithdrawalForm()
    if form.validate_on_submit():
        with refusals_in(form):
            withdrawals.withdraw_consent(db(), seen=form.seen.data or "", by=actor(), now=clock())
            flash(_("同意已撤回。每份申请的影响请看申请页。"))
            return redirect(url_for("parents.data_page"), 303)
    return _consent_page(form)
