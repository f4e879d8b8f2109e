"""The result of a child with the reason for every wish, the family's answer, and the receipts of its answers."""

import uuid

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import HiddenField

from enrollment.applications import receipts
from enrollment.applications.applications import Application
from enrollment.offers import irrevocable_acts, offers
from enrollment.offers.joint_decision_rows import DecisionKind
from enrollment.people import household_rows
from enrollment.results import answers, family_results
from enrollment.results.family_results import FamilyResult
from enrollment.season import calendar
from portal.letters.answer_receipt import answer_letter
from portal.letters.pdf_renderer import PdfUnavailable
from portal.letters.unavailable import letters_wait
from portal.parents import answer_summary, application_status, pages
from portal.parents.form_pages import application_of, names_of
from portal.parents.letters import pdf_response
from portal.parents.people import decisions
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


class AnswerForm(PageForm):
    """`seen` is what the page showed, so that an answer from an old page changes nothing."""

    seen = HiddenField()


@pages.get("/applications/<uuid:application_id>/result")
@desk("parents")
def result_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    result = family_results.for_application(db(), application.id, now=clock())
    season = calendar.current_season(db(), clock())
    spans = calendar.spans(season) if season else {}
    if result is None:
        return render_template("parents/result_not_yet.html", application=application, dates=spans.get("result"))
    return render_template(
        "parents/result.html",
        application=application,
        result=result,
        outside=household_rows.lives_outside(db(), application.id),
        arrival=spans.get("arrival"),
        bound_names=names_of(result.bound_with),
        answered_names=_answered_names(result),
        bound_in_receipt=_bound_in_receipt(application),
        status=application_status.status_of(db(), application, now=clock()),
        waiting=decisions.waiting_decision(application),
        receipts=answers.receipts(db(), application, by=actor()),
    )


def _result_of(application: Application, answer: str) -> FamilyResult:
    result = family_results.for_application(db(), application.id, now=clock())
    if answer not in answers.MOVE_OF_ANSWER or result is None or result.offer is None:
        abort(404)
    return result


@pages.get("/applications/<uuid:application_id>/result/<answer>")
@desk("parents")
def answer_page(application_id: uuid.UUID, answer: str) -> ResponseReturnValue:
    application = application_of(application_id)
    result = _result_of(application, answer)
    if answers.closed_reason(db(), result, answer, None, by=actor(), now=clock()):
        return redirect(url_for("parents.result_page", application_id=application.id), 303)
    return _answer_page(application, result, answer, AnswerForm())


def _answered_names(result: FamilyResult) -> str:
    """The names of the children whose offers are answered together with this one; "" for one that is answered alone."""
    return names_of(list(offers.answered_with(db(), result.offer, by=actor()))) if result.offer else ""


def _bound_in_receipt(application: Application) -> str:
    """The children to whom this one was bound when it was handed in last, by name and code; "" for a separate child."""
    receipt = receipts.latest(db(), application)
    if receipt is None:
        return ""
    said = receipts.answers_in(db(), application, receipt.number)
    return _("、").join(answer_summary.bound_names(db(), application, said, by=actor()))


def _answer_page(application: Application, result: FamilyResult, answer: str, form: AnswerForm) -> ResponseReturnValue:
    offer = result.offer
    together = offers.answered_with(db(), offer, by=actor()).values() if offer else ()
    given_up = {application.id: offer.id if offer else None} | {each.application_id: each.id for each in together}
    waits_until = irrevocable_acts.waits_until(db(), given_up, by=actor(), now=clock())
    return render_template(
        "parents/answer.html",
        application=application,
        result=result,
        answer=answer,
        form=form,
        seen=answers.state_seen(db(), offer) if offer else "",
        waits_until=waits_until if answer == "decline" else None,
        waiting=decisions.waiting_decision(application),
        status=application_status.status_of(db(), application, now=clock()),
        answered_names=_answered_names(result),
    )


@pages.post("/applications/<uuid:application_id>/result/<answer>")
@desk("parents")
def give_answer(application_id: uuid.UUID, answer: str) -> ResponseReturnValue:
    application = application_of(application_id)
    result = _result_of(application, answer)
    form = AnswerForm()
    closed = answers.closed_reason(db(), result, answer, form.seen.data or "", by=actor(), now=clock())
    if closed is None and form.validate_on_submit():
        with refusals_in(form):
            flash(_give(application, result, answer))
            return redirect(url_for("parents.result_page", application_id=application.id), 303)
    if closed is None:  # somebody was a moment faster, or the deadline passed between the two questions
        closed = answers.closed_reason(db(), result, answer, None, by=actor(), now=clock()) or "changed"
    return _closed_page(application, result, answer, closed)


def _closed_page(application: Application, result: FamilyResult, answer: str, closed: str) -> ResponseReturnValue:
    page = render_template(
        "parents/answer_closed.html",
        application=application,
        result=result,
        answer=answer,
        closed=closed,
        status=application_status.status_of(db(), application, now=clock()),
        waiting=decisions.waiting_decision(application),
        receipts=answers.receipts(db(), application, by=actor()),
    )
    return page, 409


def _give(application: Application, result: FamilyResult, answer: str) -> str:
    if result.offer is None:
        abort(404)
    if answer == "decline":
        offers.decline(db(), result.offer.id, by=actor(), now=clock())
        waiting = decisions.waiting_decision(application)
        if waiting is not None and waiting.row.kind == DecisionKind.DECLINE:
            return _("已提出放弃，另一位监护人已收到通知。")
        return _("已放弃这个学位。")
    offers.confirm(db(), result.offer.id, wait=answer == "wait", by=actor(), now=clock())
    return _("已确认，并候补更靠前的志愿。") if answer == "wait" else _("已确认入园，欢迎小朋友！")


@pages.get("/applications/<uuid:application_id>/answers/<int:number>")
@desk("parents")
def answer_receipt(application_id: uuid.UUID, number: int) -> ResponseReturnValue:
    application = application_of(application_id)
    found = answers.receipt(db(), application, number, by=actor())
    return render_template("parents/answer_receipt.html", application=application, receipt=found)


@pages.get("/applications/<uuid:application_id>/answers/<int:number>.pdf")
@desk("parents")
def answer_receipt_pdf(application_id: uuid.UUID, number: int) -> ResponseReturnValue:
    application = application_of(application_id)
    found = answers.receipt(db(), application, number, by=actor())
    try:
        content = answer_letter(application, found, demo=services().config.demo)
    except PdfUnavailable as fault:
        return letters_wait(fault)
    return pdf_response(content, f"answer-{found.code}")
