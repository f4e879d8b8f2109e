"""The result of a child with the reason for every wish, the family's answer, and the receipts of its answers."""

import datetime as dt
import uuid

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import HiddenField, RadioField, TextAreaField

from enrollment.applications import receipts
from enrollment.applications.applications import Application, Stage
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.draw import freed_places
from enrollment.draw.unserved import declines
from enrollment.draw.unserved.rows import DeclineReason
from enrollment.offers import irrevocable_acts, joint_decisions, offers
from enrollment.offers.arrivals import days
from enrollment.offers.joint_decision_rows import DecisionKind
from enrollment.offers.offer_rows import Offer
from enrollment.offers.statements import confirmation
from enrollment.people import household_rows
from enrollment.results import answers, family_files, family_results
from enrollment.results.family_results import FamilyResult
from enrollment.review import case_withdrawals
from enrollment.season import calendar, seasons
from portal.letters.answer_receipt import answer_letter_page
from portal.parents import answer_summary, application_status, pages
from portal.parents.after import page_values
from portal.parents.form_pages import application_of, names_of, write_at_once
from portal.parents.letters import letter_response
from portal.parents.people import decisions
from portal.parents.prepared_page import prepared_page
from portal.web.forms import PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.idempotency import keeps_key, replay_answer, request_key
from portal.web.page_data.page_reads import read_family, reads_family_itself
from portal.web.shared_views import verify_views
from portal.web.shared_views.finder import tiles
from portal.web.unit_of_work import actor, clock, db, services

CONFIRMED = {"confirm": _l("已确认入园，欢迎小朋友。"), "wait": _l("已确认，并候补更靠前的志愿。")}
"""What a family reads after it took a place, by its answer."""


class AnswerForm(PageForm):
    """`seen` is what the page showed, so that an answer from an old page changes nothing.

    Who does not take a proposed place is asked why, and need not say.
    """

    seen = HiddenField()
    reason = RadioField(
        _l("为什么不接受？（可以不答）"), choices=coded_choices("decline_reason", DeclineReason), validate_choice=False
    )
    note = TextAreaField(_l("想让专员知道的（可以不写）"))


@pages.get("/applications/<uuid:application_id>/result")
@desk("parents")
@reads_family_itself
def result_page(application_id: uuid.UUID) -> ResponseReturnValue:
    page = prepared_page(application_id)
    if page is not None:
        return page
    read_family()
    return _result_page(application_of(application_id), PageForm(formdata=None))


def _result_page(application: Application, form: PageForm) -> ResponseReturnValue:
    result = family_results.for_application(db(), application.id, now=clock())
    season = seasons.of_year(db(), application.year)
    if result is None:
        spans = calendar.spans(season) if season else {}
        status = application_status.status_of(db(), application, now=clock())
        return render_template(
            "parents/result_not_yet.html", application=application, status=status, dates=spans.get("result")
        )
    bound_in_receipt = _bound_in_receipt(application) if result.bound == 1 else ""
    status = application_status.status_of(db(), application, now=clock())
    return render_template(
        "parents/result.html",
        application=application,
        result=result,
        form=form,
        gave_up_by=answers.gave_up_by(db(), result, by=actor()),
        may_take_back=result.offer is not None and freed_places.may_take_back(db(), result.offer, now=clock()),
        outside=household_rows.lives_outside(db(), application.id),
        unanswered=application.stage == Stage.RETURNED,
        arrival=days.arrival_of(db(), result.offer) if result.offer is not None else None,
        bound_names=names_of(result.bound_with),
        answered_names=_answered_names(result),
        held=answers.is_held(db(), result, by=actor()),
        bound_in_receipt=bound_in_receipt,
        bond_end=_bond_end(application) if bound_in_receipt else None,
        status=status,
        after=page_values.after_draw(db(), result, status, now=clock()),
        waiting=decisions.waiting_decision(application),
        receipts=answers.receipts(db(), application, by=actor()),
        has_opening=family_files.exists(db(), result.run.id, application.id),
        map_tiles=tiles.template(),
        about_child=case_withdrawals.about_child(db(), application.id),
    )


@pages.get("/applications/<uuid:application_id>/family-file.json")
@desk("parents")
def opening_file(application_id: uuid.UUID) -> ResponseReturnValue:
    """What this family needs to check its own result: a file, so that it works without scripts and is kept."""
    application = application_of(application_id)
    content = family_files.of_application(db(), application, by=actor(), now=clock())
    return Response(
        content,
        mimetype="application/json",
        headers={"Content-Disposition": 'attachment; filename="family-file.json"', "Cache-Control": "no-store"},
    )


@pages.get("/applications/<uuid:application_id>/check-result")
@desk("parents")
def check_result(application_id: uuid.UUID) -> ResponseReturnValue:
    """The page that checks the draw, with the family's own file: it is checked as soon as the public file is."""
    application = application_of(application_id)
    result = family_results.for_application(db(), application.id, now=clock())
    if result is None or not family_files.exists(db(), result.run.id, application.id):
        abort(404)
    return verify_views.verify_page(
        result.round.id,
        result.run,
        back=url_for("parents.result_page", application_id=application.id),
        back_text=_("派位结果"),
        own_file=url_for("parents.opening_file", application_id=application.id),
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
    said = receipts.answers_handed_in_last(db(), application) or {}
    return _("、").join(answer_summary.bound_names(db(), application, said, by=actor()))


def _bond_end(application: Application) -> BondEvent:
    """Why the bond of the last receipt did not count: a member's application was refused or withdrawn, or did not take part."""
    said = receipts.answers_handed_in_last(db(), application) or {}
    others = set(said.get("bound_with") or ()) - {application.child_code}
    stages = set(db().scalars(select(Application.stage).where(Application.child_code.in_(others))))
    ends = {Stage.REFUSED: BondEvent.REFUSE, Stage.WITHDRAWN: BondEvent.WITHDRAW}
    return next((event for stage, event in ends.items() if stage in stages), BondEvent.MISS)


def _answer_page(application: Application, result: FamilyResult, answer: str, form: AnswerForm) -> ResponseReturnValue:
    offer = result.offer
    return render_template(
        "parents/answer.html",
        application=application,
        result=result,
        answer=answer,
        form=form,
        seen=joint_decisions.state_seen(db(), offer) if offer else "",
        waits_until=_gone_at(application, offer) if answer == "decline" else None,
        waiting=decisions.waiting_decision(application),
        status=application_status.status_of(db(), application, now=clock()),
        answered_names=_answered_names(result),
    )


def _gone_at(application: Application, offer: Offer | None) -> dt.datetime | None:
    """When the place would be given up; None if at once, because there is no other guardian."""
    together = offers.answered_with(db(), offer, by=actor()).values() if offer else ()
    given_up = {application.id: offer.id if offer else None} | {each.application_id: each.id for each in together}
    return irrevocable_acts.waits_until(db(), given_up, by=actor(), now=clock())


@pages.post("/applications/<uuid:application_id>/result/<answer>")
@desk("parents")
@keeps_key
def give_answer(application_id: uuid.UUID, answer: str) -> ResponseReturnValue:
    if (done := _confirm_at_once(application_id, answer)) is not None:
        return done
    if (replayed := replay_answer()) is not None:
        return replayed
    application = application_of(application_id)
    result = _result_of(application, answer)
    form = AnswerForm()
    closed = answers.closed_reason(db(), result, answer, form.seen.data or "", by=actor(), now=clock())
    if closed is None and form.validate_on_submit():
        with refusals_in(form):
            flash(_give(application, result, answer, form))
            return redirect(url_for("parents.result_page", application_id=application.id), 303)
    if closed is None:  # somebody was a moment faster, or the deadline passed between the two questions
        closed = answers.closed_reason(db(), result, answer, None, by=actor(), now=clock()) or "changed"
    return _closed_page(application, result, answer, closed)


def _confirm_at_once(application_id: uuid.UUID, answer: str) -> ResponseReturnValue | None:
    """The first confirmation of an offered place in one statement; None for the service to decide."""
    key = request_key()
    if key is None or answer not in CONFIRMED:
        return None
    change = confirmation.change(
        application_id, request.form.get("seen", ""), wait=answer == "wait", by=actor(), now=clock()
    )
    location = url_for("parents.result_page", application_id=application_id)
    return None if change is None else write_at_once(change, key, location, CONFIRMED[answer])


@pages.post("/applications/<uuid:application_id>/take-back")
@desk("parents")
def take_back(application_id: uuid.UUID) -> ResponseReturnValue:
    """Take back that the place was given up, while nobody else was given it."""
    application, form = application_of(application_id), PageForm()
    result = family_results.for_application(db(), application.id, now=clock())
    if result is None or result.offer is None:
        abort(404)
    if form.validate_on_submit():
        with refusals_in(form):
            freed_places.take_back(db(), result.offer.id, by=actor(), now=clock())
            flash(_("已收回放弃，学位已确认。"))
            return redirect(url_for("parents.result_page", application_id=application.id), 303)
    return _result_page(application, form)


def _closed_page(application: Application, result: FamilyResult, answer: str, closed: str) -> ResponseReturnValue:
    page = render_template(
        "parents/answer_closed.html",
        application=application,
        result=result,
        answer=answer,
        closed=closed,
        may_take_back=result.offer is not None and freed_places.may_take_back(db(), result.offer, now=clock()),
        status=application_status.status_of(db(), application, now=clock()),
        waiting=decisions.waiting_decision(application),
        receipts=answers.receipts(db(), application, by=actor()),
    )
    return page, 409


def _give(application: Application, result: FamilyResult, answer: str, form: AnswerForm) -> str:
    if result.offer is None:
        abort(404)
    if answer == "decline":
        if result.origin.central:
            reason, note = form.reason.data or "", form.note.data or ""
            declines.note(db(), result.offer.id, reason, note, by=actor(), now=clock())
        offers.decline(db(), result.offer.id, by=actor(), now=clock())
        waiting = decisions.waiting_decision(application)
        if waiting is not None and waiting.row.kind == DecisionKind.DECLINE:
            return _("已提出放弃，另一位监护人已收到通知。")
        return _("已放弃这个学位。")
    offers.confirm(db(), result.offer.id, wait=answer == "wait", by=actor(), now=clock())
    return str(CONFIRMED[answer])


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
    page = answer_letter_page(application, found, demo=services().config.demo)
    back = url_for("parents.answer_receipt", application_id=application_id, number=number)
    return letter_response(application.id, page, f"answer-{found.code}", back=back, back_text=_("回执"))
