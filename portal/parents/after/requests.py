"""An appeal, or a request for another kindergarten: asked once, with a receipt that names the officer and the date."""

import uuid

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField

from enrollment.applications.applications import Application
from enrollment.offers import family_requests
from enrollment.review import case_officers, case_withdrawals
from enrollment.review.case_rows import FAMILY_REQUESTS
from portal.parents import pages
from portal.parents.form_pages import application_of
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


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
    """The receipt of an appeal or a request: what was asked, who answers, and by when."""
    case = case_withdrawals.own_case(db(), case_id, by=actor())
    if case.kind not in FAMILY_REQUESTS or case.application_id is None:
        abort(404)
    return render_template(
        "parents/asked.html",
        case=case,
        application=application_of(case.application_id),
        officer=case_officers.officer_of(db(), case),
    )


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
