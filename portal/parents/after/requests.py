"""An appeal, or a request for another kindergarten: asked once, with a receipt that names the officer and the date."""

import uuid

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField

from enrollment.applications.applications import Application
from enrollment.offers import family_requests
from enrollment.review import case_officers, case_withdrawals
from enrollment.review.case_rows import ABOUT_THE_CHILD, FAMILY_REQUESTS, Case
from portal.letters.case_outcome import outcome_page
from portal.parents import pages
from portal.parents.form_pages import application_of
from portal.parents.letters import letter_response
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


class AskForm(PageForm):
    text = TextAreaField(_l("请写清楚"))


@pages.get("/applications/<uuid:application_id>/ask/<kind>")
@desk("parents")
def ask_page(application_id: uuid.UUID, kind: str) -> ResponseReturnValue:
    return _view(application_of(application_id), _known(kind), AskForm())


@pages.post("/applications/<uuid:application_id>/ask/<kind>")
@desk("parents")
def ask(application_id: uuid.UUID, kind: str) -> ResponseReturnValue:
    application, form = application_of(application_id), AskForm()
    if form.validate_on_submit():
        with refusals_in(form):
            case = family_requests.ask(
                db(), application.id, _known(kind), text=form.text.data or "", by=actor(), now=clock()
            )
            return redirect(url_for("parents.asked_page", case_id=case.id), 303)
    return _view(application, _known(kind), form)


@pages.get("/cases/<uuid:case_id>")
@desk("parents")
def asked_page(case_id: uuid.UUID) -> ResponseReturnValue:
    """A case of the family: what was asked, who answers, by when; once it is settled, the outcome with its reason."""
    case, application = _case_of_family(case_id)
    return render_template(
        "parents/asked.html",
        case=case,
        application=application,
        officer=case_officers.officer_of(db(), case),
        mine=case.account_id == actor().account_id and case.kind in case_withdrawals.BY_FAMILIES,
    )


@pages.get("/cases/<uuid:case_id>/outcome.pdf")
@desk("parents")
def outcome_pdf(case_id: uuid.UUID) -> ResponseReturnValue:
    """The letter about the outcome, with its reason."""
    case, application = _case_of_family(case_id)
    if case.settled_at is None:
        abort(404)
    page = outcome_page(application, case, case_officers.officer_of(db(), case), demo=services().config.demo)
    back = url_for("parents.asked_page", case_id=case.id)
    return letter_response(application.id, page, f"case-{case.id.hex[:8]}", back=back, back_text=_("回执"))


def _case_of_family(case_id: uuid.UUID) -> tuple[Case, Application]:
    case = case_withdrawals.readable_case(db(), case_id, by=actor())
    if case.kind not in ABOUT_THE_CHILD or case.application_id is None:
        abort(404)
    return case, application_of(case.application_id)


def _known(kind: str) -> str:
    if kind not in FAMILY_REQUESTS:
        abort(404)
    return kind


def _view(application: Application, kind: str, form: AskForm) -> ResponseReturnValue:
    earlier = family_requests.open_request(db(), application.id, kind, by=actor())
    if earlier is not None:
        return redirect(url_for("parents.asked_page", case_id=earlier.id), 303)
    refused = family_requests.refusal_of(db(), application, kind)
    return render_template("parents/ask.html", application=application, kind=kind, form=form, refused=refused)
