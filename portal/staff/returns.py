"""Returning an application with named items: the fact or document, and what is needed."""

import uuid

from flask import flash, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, StringField
from wtforms.validators import Length

from enrollment.applications import register_answers
from enrollment.applications.applications import Application
from enrollment.eligibility import required_documents, tiers
from enrollment.ground import audit
from enrollment.review import review
from enrollment.review.review import LONGEST_NOTE, Ask
from portal.staff import pages
from portal.staff.queue import redirect_to_next
from portal.text.words import table, word
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


def item_words(item: str) -> str:
    """An item in words: a fact, a document, or other."""
    group = "document" if item in table()["document"] else "fact" if item in table()["fact"] else None
    return word(group, item) if group else _("其他")


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


def requested_items(form: PageForm, items: list[str]) -> list[Ask]:
    """The requested items: those that are ticked or have a note."""
    notes = {item: (form[f"note-{item}"].data or "").strip() for item in items}
    return [Ask(item, notes[item]) for item in items if form[f"item-{item}"].data or notes[item]]


def form_for(items: list[str]) -> PageForm:
    class SendBackForm(PageForm):
        pass

    for item in items:
        setattr(SendBackForm, f"item-{item}", BooleanField(item_words(item)))
        setattr(SendBackForm, f"note-{item}", StringField(_l("要补充什么（家长会看到）"), [Length(max=LONGEST_NOTE)]))
    return SendBackForm()


def send_back_page(application: Application, items: list[str], form: PageForm) -> ResponseReturnValue:
    audit.record(db(), "view", "application", application.id, by=actor(), now=clock(), reason="send_back")
    return render_template("staff/returns.html", application=application, items=items, form=form, item_words=item_words)


@pages.route("/applications/<uuid:application_id>/send-back", methods=["GET", "POST"])
@desk("staff")
def send_back(application_id: uuid.UUID) -> ResponseReturnValue:
    application = review.find(db(), application_id, by=actor())
    items = items_of(application)
    form = form_for(items)
    if form.validate_on_submit():
        with refusals_in(form):
            review.send_back(db(), application_id, requested_items(form, items), by=actor(), now=clock())
            flash(_("%(code)s 已退回，家长会收到通知。", code=application.registration_code))
            return redirect_to_next()
    return send_back_page(application, items, form)
