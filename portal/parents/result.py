"""The result of a child with the reason for every wish, and the family's answer."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.offers import offers
from enrollment.results import family_results
from enrollment.results.family_results import FamilyResult
from enrollment.season import calendar
from portal.parents import application_status, pages
from portal.parents.form_pages import application_of
from portal.web.forms import ActForm, PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

ANSWERS = ("confirm", "wait", "decline")


@pages.get("/applications/<uuid:application_id>/result")
@desk("parents")
def result_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    result = family_results.for_application(db(), application.id, now=clock())
    if result is None:
        season = calendar.current_season(db(), clock())
        dates = calendar.spans(season).get("result") if season else None
        return render_template("parents/result_not_yet.html", application=application, dates=dates)
    season = calendar.current_season(db(), clock())
    arrival = calendar.spans(season).get("arrival") if season else None
    return render_template(
        "parents/result.html",
        application=application,
        result=result,
        arrival=arrival,
        status=application_status.status_of(db(), application, now=clock()),
    )


@pages.get("/applications/<uuid:application_id>/result/<answer>")
@desk("parents")
def answer_page(application_id: uuid.UUID, answer: str) -> ResponseReturnValue:
    return _answer_page(application_id, answer, ActForm())


def _answer_page(application_id: uuid.UUID, answer: str, form: PageForm) -> ResponseReturnValue:
    application = application_of(application_id)
    result = _answerable(application.id, answer, form)
    if result is None:
        return redirect(url_for("parents.result_page", application_id=application.id), 303)
    status = application_status.status_of(db(), application, now=clock())
    return render_template(
        "parents/answer.html", application=application, result=result, answer=answer, form=form, status=status
    )


def _answerable(application_id: uuid.UUID, answer: str, form: PageForm) -> FamilyResult | None:
    """The result if its offer can be answered, or if the form shows a refused answer; else None."""
    if answer not in ANSWERS:
        abort(404)
    result = family_results.for_application(db(), application_id, now=clock())
    if result is None or result.offer is None:
        return None
    return result if result.offer.state in offers.ANSWERABLE or form.errors else None


@pages.post("/applications/<uuid:application_id>/result/<answer>")
@desk("parents")
def give_answer(application_id: uuid.UUID, answer: str) -> ResponseReturnValue:
    application = application_of(application_id)
    form = ActForm()
    result = family_results.for_application(db(), application.id, now=clock())
    if answer not in ANSWERS or result is None or result.offer is None:
        abort(404)
    if form.validate_on_submit():
        with refusals_in(form):
            if answer == "decline":
                offers.decline(db(), result.offer.id, by=actor(), now=clock())
            else:
                offers.confirm(db(), result.offer.id, wait=answer == "wait", by=actor(), now=clock())
            flash(_answered(answer))
            return redirect(url_for("parents.result_page", application_id=application.id), 303)
    return _answer_page(application_id, answer, form)


def _answered(answer: str) -> str:
    if answer == "decline":
        return _("已放弃这个学位。")
    if answer == "wait":
        return _("已确认，并候补更靠前的志愿。")
    return _("已确认入园，欢迎小朋友！")
