"""Bulk confirmation of applications whose facts all agree with the registers: a drawn sample is opened first."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.review import review
from enrollment.review.queue import bulk_confirmation, task_groups
from enrollment.review.queue.bulk_rows import BulkOutcome
from enrollment.review.queue.filters import Group
from portal.staff import pages
from portal.staff.applications import FaultForm, application_page
from portal.staff.case_page import facts_form
from portal.web.forms import ActForm, PageForm, refusals_in, refusals_told
from portal.web.guards import desk
from portal.web.page_data.page_reads import attach_catalogue
from portal.web.unit_of_work import actor, clock, db


def _start_page(form: PageForm) -> ResponseReturnValue:
    number = task_groups.number_of(db(), Group.AGREES, by=actor(), now=clock())
    most = bulk_confirmation.MOST_AT_ONCE
    sample = bulk_confirmation.sample_size(min(number, most))
    return render_template("staff/bulk_start.html", form=form, number=number, most=most, sample=sample)


def _selection_page(selection_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    selection = bulk_confirmation.find(db(), selection_id, by=actor())
    return render_template("staff/bulk_confirmation.html", form=form, selection=selection, outcomes=tuple(BulkOutcome))


def _to(selection_id: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("staff.bulk_selection", selection_id=selection_id), 303)


@pages.get("/queue/matched")
@desk("staff")
def matched_page() -> ResponseReturnValue:
    attach_catalogue()
    begun = bulk_confirmation.open_selection(db(), by=actor())
    return _to(begun.id) if begun is not None else _start_page(ActForm())


@pages.post("/queue/matched")
@desk("staff")
def draw_selection() -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            return _to(bulk_confirmation.draw(db(), by=actor(), now=clock()).id)
    return _start_page(form)


@pages.get("/queue/matched/<uuid:selection_id>")
@desk("staff")
def bulk_selection(selection_id: uuid.UUID) -> ResponseReturnValue:
    return _selection_page(selection_id, ActForm())


@pages.post("/queue/matched/<uuid:selection_id>/confirm")
@desk("staff")
def confirm_selection(selection_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            outcomes = bulk_confirmation.confirm(db(), selection_id, by=actor(), now=clock())
            flash(_("已批量确认 %(n)s 份部门数据全部一致的申请。", n=outcomes[BulkOutcome.CONFIRMED]))
            return _to(selection_id)
    return _selection_page(selection_id, form)


@pages.post("/queue/matched/<uuid:selection_id>/<uuid:application_id>/open")
@desk("staff")
def open_sample(selection_id: uuid.UUID, application_id: uuid.UUID) -> ResponseReturnValue:
    with refusals_told():
        bulk_confirmation.open_sample(db(), selection_id, application_id, by=actor(), now=clock())
        return redirect(url_for("staff.application", application_id=application_id, sample=selection_id), 303)
    return _to(selection_id)


@pages.post("/queue/matched/<uuid:selection_id>/<uuid:application_id>/fault")
@desk("staff")
def sample_fault(selection_id: uuid.UUID, application_id: uuid.UUID) -> ResponseReturnValue:
    form = FaultForm(prefix="fault-")
    if form.validate_on_submit():
        with refusals_in(form):
            bulk_confirmation.report_fault(
                db(), selection_id, application_id, text=form.text.data or "", by=actor(), now=clock()
            )
            flash(_("这一份留给老师细看，另外再抽了几份。"))
            return _to(selection_id)
    found = review.find(db(), application_id, by=actor())
    return application_page(found, facts_form(found), sample=selection_id, faulting=form)
