"""Returning an application with named items: the fact or document, and what is needed."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField
from wtforms.validators import Length, Optional

from enrollment.applications import register_answers
from enrollment.applications.applications import Application
from enrollment.applications.returned_items import ReturnPhrase
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
from portal.text.facts import asked_words, item_words
from portal.web.forms import ActForm, PageForm, coded_choices, parse_moment, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

PAPER_PHRASES = (
    ReturnPhrase.NOT_UPLOADED, ReturnPhrase.BLURRED, ReturnPhrase.PAGE_MISSING, ReturnPhrase.NAME_DIFFERS,
    ReturnPhrase.ADDRESS_DIFFERS, ReturnPhrase.EXPIRED, ReturnPhrase.OTHER_PAPER,
)  # fmt: skip
HOME_PHRASES = (
    ReturnPhrase.CHECK_NUMBER, ReturnPhrase.CHOOSE_STREET, ReturnPhrase.TO_THE_ROOM, ReturnPhrase.SAY_RENTED,
)  # fmt: skip
FACT_PHRASES = (ReturnPhrase.CHECK_ENTRY, ReturnPhrase.BRING_PROOF)


def items_of(application: Application) -> tuple[list[str], list[str]]:
    """What is probably asked for, missing documents before facts that a register contradicts, and the rest."""
    needed = required_documents.needed(db(), application)
    answers = register_answers.answers_of(db(), application.id)
    against = [fact for fact, said in answers.items() if said.answer == "differs" or said.disputed_at is not None]
    missing = [paper.document.value for paper in needed if not paper.there and not paper.may_wait]
    papers = [paper.document.value for paper in needed]
    facts = [fact.value for fact in tiers.claimed_facts(db(), application.id)]
    contradicted = [fact for fact in facts if fact in against]
    likely = list(dict.fromkeys([*missing, *contradicted]))
    return likely, [item for item in dict.fromkeys([*papers, *facts, "other"]) if item not in likely]


def phrases_of(item: str) -> tuple[ReturnPhrase, ...]:
    """The ready-made sentences for an item: for papers, for the home, for other facts; none for `other`."""
    if item in set(Document):
        return PAPER_PHRASES
    if item == Fact.HOME_PLACE:
        return HOME_PHRASES
    return FACT_PHRASES if item in set(Fact) else ()


class SendBackForm(PageForm):
    """For each item `item-…` (asked for or not), `phrase-…` (a ready-made sentence) and `note-…` (the clerk's own words)."""

    items: tuple[str, ...] = ()

    def asked(self, item: str) -> Ask:
        phrase = self[f"phrase-{item}"].data if phrases_of(item) else None
        return Ask(item, (self[f"note-{item}"].data or "").strip(), ReturnPhrase(phrase) if phrase else None)

    def says_something(self, item: str) -> bool:
        asked = self.asked(item)
        return bool(asked.note or asked.phrase)

    def requested(self) -> list[Ask]:
        """The items that are ticked or have words: without scripts words ask for their item.  Scripts clear the words of an
        item that is taken out."""
        return [self.asked(item) for item in self.items if self[f"item-{item}"].data or self.says_something(item)]


def form_for(items: list[str], ticked: Collection[str], times: AnswerTimes) -> SendBackForm:
    """`answer_by` is refused by the domain, so that a page of yesterday says which moments there are today."""

    class ItemsForm(SendBackForm):
        answer_by = RadioField(
            _l("补到什么时候"), [Optional()], default=times.suggested, coerce=_moment, validate_choice=False,
            choices=[(each, due_words(each)) for each in times.possible],
        )  # fmt: skip

    ItemsForm.items = tuple(items)
    for item in items:
        setattr(ItemsForm, f"item-{item}", BooleanField(item_words(item), default=item in ticked))
        if phrases_of(item):
            choices = [*coded_choices("return_phrase", phrases_of(item)), ("", _l("自己写"))]
            phrase = RadioField(_l("怎么说"), choices=choices, validate_choice=False, coerce=_phrase_of(item))
            setattr(ItemsForm, f"phrase-{item}", phrase)
        setattr(ItemsForm, f"note-{item}", StringField(_l("用自己的话说"), [Length(max=LONGEST_NOTE)]))
    return ItemsForm()


def _phrase_of(item: str) -> Callable[[object], str | None]:
    """Reads a sentence of the item; None for what is none of its sentences."""

    def read(value: object) -> str | None:
        return str(value) if value in phrases_of(item) else None

    return read


def _moment(value: object) -> dt.datetime | None:
    """A moment of the form; None for what is not one."""
    return value if isinstance(value, dt.datetime) else parse_moment(str(value))


def send_back_page(
    application: Application, likely: list[str], form: SendBackForm, times: AnswerTimes
) -> ResponseReturnValue:
    """The items that are asked for stand first; before one is, those that are `likely`."""
    audit.record(db(), "view", "application", application.id, by=actor(), now=clock(), reason="send_back")
    wanted = request.args.getlist("item")
    asked = [item for item in form.items if item in wanted or form[f"item-{item}"].data or form.says_something(item)]
    first = asked or likely
    return render_template(
        "staff/returns.html",
        application=application,
        first=first,
        rest=[item for item in form.items if item not in first],
        asked=len(asked),
        form=form,
        item_words=item_words,
        asked_words=asked_words,
        times=times,
        due_words=due_words,
        due_at=return_times.answer_until(db(), application, returned_at=clock()),
        review_ends=return_times.review_ends(db(), application.year),
    )


@pages.route("/applications/<uuid:application_id>/send-back", methods=["GET", "POST"])
@desk("staff")
def send_back(application_id: uuid.UUID) -> ResponseReturnValue:
    application = review.find(db(), application_id, by=actor())
    (likely, rest), wanted = items_of(application), request.args.getlist("item")
    times = answer_times(db(), application, now=clock())
    form = form_for([*likely, *rest], wanted, times)
    if form.validate_on_submit():
        with refusals_in(form):
            place = task_groups.neighbours(db(), application_id, by=actor(), now=clock())
            review.send_back(
                db(), application_id, form.requested(), answer_by=form.answer_by.data,
                by=actor(), now=clock(),
            )  # fmt: skip
            flash(_("%(code)s 已退回，2 分钟后通知家长。", code=application.registration_code))
            flash(url_for("staff.application", application_id=application_id), "undo")
            return redirect_to_next(place[0] if place else None)
    return send_back_page(application, likely, form, times)


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
