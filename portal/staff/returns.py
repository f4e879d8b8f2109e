"""Returning an application with named items: the fact or document, and what is needed."""

import datetime as dt
import uuid
from collections.abc import Collection

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import Length, Optional

from enrollment.applications import register_answers
from enrollment.applications.applications import Application
from enrollment.eligibility import required_documents, return_times, tiers
from enrollment.ground import audit
from enrollment.review import return_undo, review
from enrollment.review.queue import task_groups
from enrollment.review.returns.answer_times import AnswerTimes, answer_times
from enrollment.review.review import LONGEST_NOTE, Ask
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact
from portal.staff import pages
from portal.staff.queue import redirect_to_next
from portal.staff.queue_lines import due_words
from portal.text.facts import item_words
from portal.text.words import table
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

PAPER_PHRASES = ("not_uploaded", "blurred", "page_missing", "name_differs", "address_differs", "expired", "other_paper")
HOME_PHRASES = ("check_number", "choose_street", "to_the_room", "say_rented")
FACT_PHRASES = ("check_entry", "bring_proof")
PHRASES = (*PAPER_PHRASES, *HOME_PHRASES, *FACT_PHRASES)


def items_of(application: Application) -> list[str]:
    """Missing documents first, then facts that a register contradicts, then the rest."""
    needed = required_documents.needed(db(), application)
    answers = register_answers.answers_of(db(), application.id)
    against = [fact for fact, said in answers.items() if said.answer == "differs" or said.disputed_at is not None]
    missing = [paper.document.value for paper in needed if not paper.there and not paper.may_wait]
    papers = [paper.document.value for paper in needed]
    facts = [fact.value for fact in tiers.claimed_facts(db(), application.id)]
    contradicted = [fact for fact in facts if fact in against]
    return list(dict.fromkeys([*missing, *contradicted, *papers, *facts, "other"]))


def phrases_of(item: str) -> tuple[str, ...]:
    """The codes of the phrases for an item: for papers, for the home, for other facts; none for `other`."""
    if item in set(Document):
        return PAPER_PHRASES
    if item == Fact.HOME_PLACE:
        return HOME_PHRASES
    return FACT_PHRASES if item in set(Fact) else ()


def requested_items(form: PageForm, items: list[str]) -> list[Ask]:
    """The requested items: those that are ticked, or have a note; a phrase stands in for a note that is left empty."""
    asks = []
    for item in items:
        note = (form[f"note-{item}"].data or "").strip()
        phrase = form[f"phrase-{item}"].data if phrases_of(item) else None
        if form[f"item-{item}"].data or note:
            asks.append(Ask(item, note or (table()["return_phrase"][phrase]["zh"] if phrase else "")))
    return asks


def form_for(items: list[str], ticked: Collection[str], times: AnswerTimes) -> PageForm:
    """`answer_by` is refused by the domain, so that a page of yesterday says which moments there are today."""

    class SendBackForm(PageForm):
        answer_by = RadioField(
            _l("补到什么时候"), [Optional()], default=times.suggested, coerce=_moment, validate_choice=False,
            choices=[(each, due_words(each)) for each in times.possible],
        )  # fmt: skip

    for item in items:
        setattr(SendBackForm, f"item-{item}", BooleanField(item_words(item), default=item in ticked))
        if phrases_of(item):
            choices = coded_choices("return_phrase", phrases_of(item))
            setattr(SendBackForm, f"phrase-{item}", RadioField(_l("怎么说"), choices=choices, validate_choice=False))
        setattr(SendBackForm, f"note-{item}", StringField(_l("对家长说"), [Length(max=LONGEST_NOTE)]))
    return SendBackForm()


def _moment(value: object) -> dt.datetime | None:
    """A moment of the form; None for what is not one."""
    if isinstance(value, dt.datetime):
        return value
    try:
        said = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return said if said.tzinfo is not None else None


def send_back_page(
    application: Application, items: list[str], form: PageForm, times: AnswerTimes
) -> ResponseReturnValue:
    audit.record(db(), "view", "application", application.id, by=actor(), now=clock(), reason="send_back")
    wanted = request.args.getlist("item")
    first = [item for item in items if item in wanted or form[f"item-{item}"].data or form[f"note-{item}"].data]
    return render_template(
        "staff/returns.html",
        application=application,
        first=first,
        rest=[item for item in items if item not in first],
        form=form,
        item_words=item_words,
        times=times,
        due_words=due_words,
        due_at=return_times.answer_until(db(), application, returned_at=clock()),
        review_ends=return_times.review_ends(db(), application.year),
    )


@pages.route("/applications/<uuid:application_id>/send-back", methods=["GET", "POST"])
@desk("staff")
def send_back(application_id: uuid.UUID) -> ResponseReturnValue:
    application = review.find(db(), application_id, by=actor())
    items, wanted = items_of(application), request.args.getlist("item")
    times = answer_times(db(), application, now=clock())
    form = form_for(items, wanted, times)
    for item in items:
        phrase = f"phrase-{item}"
        if phrase in form and form[phrase].data not in phrases_of(item):
            form[phrase].data = None
    if form.validate_on_submit():
        with refusals_in(form):
            place = task_groups.neighbours(db(), application_id, by=actor(), now=clock())
            review.send_back(
                db(), application_id, requested_items(form, items), answer_by=form.answer_by.data,
                by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("%(code)s 已退回，2 分钟后通知家长。", code=application.registration_code))
            flash(url_for("staff.application", application_id=application_id), "undo")
            return redirect_to_next(place[0] if place else None)
    return send_back_page(application, items, form, times)


@pages.post("/applications/<uuid:application_id>/send-back/undo")
@desk("staff")
def take_return_back(application_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            return_undo.take_back(db(), application_id, by=actor(), now=clock())
            flash(_("已撤回，家长没有收到。这份申请又在您手上。"))
    for fault in form.form_errors:
        flash(fault, "warn")
    return redirect(url_for("staff.application", application_id=application_id), 303)
