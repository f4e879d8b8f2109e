"""The review page of an application: take it, judge its facts, confirm it, write notes."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, StringField
from wtforms.validators import Length

from enrollment.applications.application_rows import Application, Stage
from enrollment.ground import audit
from enrollment.review import case_file, case_tiers, leases, notes, review, second_opinions
from enrollment.review.plausibility import verdicts
from enrollment.review.queue import task_groups
from enrollment.season.facts import Fact
from portal.staff import pages
from portal.staff.case_page import FactsForm, case_context, facts_form, tier_cards
from portal.staff.fact_forms import FactRow, findings_in, other_names, returned_in, take_what_changed
from portal.staff.queue import redirect_to_next
from portal.text.facts import asked_words, changed_words, item_words
from portal.text.words import word
from portal.web.forms import ActForm, PageForm, page_of, parse_moment, parse_uuid, refusals_in, refusals_told
from portal.web.guards import desk
from portal.web.page_data.page_reads import attach_catalogue
from portal.web.unit_of_work import actor, clock, db


class ReasonForm(PageForm):
    reason = StringField(_l("原因"), [Length(max=leases.LONGEST_REASON)])


class HintForm(PageForm):
    key = HiddenField()
    note = StringField(_l("怎么看的（可以不填，家长看不到）"), [Length(max=verdicts.LONGEST_NOTE)])


class NoteForm(PageForm):
    text = StringField(_l("备注（家长看不到）"), [Length(max=notes.LONGEST_TEXT)])


class FaultForm(PageForm):
    text = StringField(_l("哪里有问题（家长看不到）"), [Length(max=notes.LONGEST_TEXT)])


def application_page(
    application: Application,
    shown: FactsForm,
    *,
    taking: ReasonForm | None = None,
    noting: NoteForm | None = None,
    unmasking: ReasonForm | None = None,
    hinting: HintForm | None = None,
    faulting: FaultForm | None = None,
    sample: uuid.UUID | None = None,
    unmasked: bool = False,
) -> ResponseReturnValue:
    """The page of an application; `sample` is the selection for whose sample it was opened."""
    page = render_template(
        "staff/application.html",
        other_names=other_names,
        item_words=item_words,
        asked_words=asked_words,
        changed_words=changed_words,
        taking=taking or ReasonForm(formdata=None),
        noting=noting or NoteForm(formdata=None),
        hinting=hinting or HintForm(formdata=None),
        faulting=faulting or FaultForm(formdata=None, prefix="fault-"),
        sample=sample or parse_uuid(request.args.get("sample")),
        unmasking=unmasking or ReasonForm(formdata=None, prefix="unmask-"),
        **case_context(application, shown, unmasked=unmasked),
    )
    return page_of(shown.form, page)


def _found(application_id: uuid.UUID) -> Application:
    return review.find(db(), application_id, by=actor())


def _to(application_id: uuid.UUID) -> ResponseReturnValue:
    return redirect(url_for("staff.application", application_id=application_id), 303)


@pages.get("/applications/<uuid:application_id>")
@desk("staff")
def application(application_id: uuid.UUID) -> ResponseReturnValue:
    attach_catalogue()
    found = case_file.read(db(), application_id, by=actor())
    return application_page(found, facts_form(found))


@pages.post("/applications/<uuid:application_id>/take")
@desk("staff")
def take(application_id: uuid.UUID) -> ResponseReturnValue:
    with refusals_told():
        leases.pick(db(), application_id, by=actor(), now=clock())
    return _to(application_id)


@pages.post("/applications/<uuid:application_id>/take-over")
@desk("staff")
def take_over(application_id: uuid.UUID) -> ResponseReturnValue:
    form, found = ReasonForm(), _found(application_id)
    if form.validate_on_submit():
        with refusals_in(form):
            leases.take_over(db(), application_id, reason=form.reason.data or "", by=actor(), now=clock())
            return _to(application_id)
    return application_page(found, facts_form(found), taking=form)


@pages.post("/applications/<uuid:application_id>/release")
@desk("staff")
def release(application_id: uuid.UUID) -> ResponseReturnValue:
    with refusals_told():
        review.release(db(), application_id, by=actor(), now=clock())
        flash(_("已放回待审队列。"))
        return redirect(url_for("staff.queue"), 303)
    return _to(application_id)


@pages.post("/applications/<uuid:application_id>/facts")
@desk("staff")
def settle(application_id: uuid.UUID) -> ResponseReturnValue:
    """Save the findings, or with `act=confirm` confirm the application and take the next one of its group."""
    found = _found(application_id)
    shown = facts_form(found)
    if request.form.get("act") == "recount":
        return application_page(found, shown)
    if shown.form.validate_on_submit():
        changed = take_what_changed(shown.form, shown.lines)
        if changed:
            shown.form.newer = [
                (str(shown.form[line.fact.value].label.text), _as_it_is(shown, line)) for line in changed
            ]
            return application_page(found, shown)
        with refusals_in(shown.form):
            return _settled(found, shown)
    if shown.form.refused == "not_in_your_hands":
        shown.form.newer = _saved_meanwhile(shown)
    return application_page(found, shown)


def _settled(application: Application, shown: FactsForm) -> ResponseReturnValue:
    findings, returned = findings_in(shown.form, shown.lines), returned_in(shown.form, shown.lines)
    if request.form.get("act") != "confirm" or returned:
        review.verify(db(), application.id, findings, by=actor(), now=clock())
        if returned:
            items = [fact.value for fact in returned]
            return redirect(url_for("staff.send_back", application_id=application.id, item=items), 303)
        flash(_("核实结果已保存。"))
        return _to(application.id)
    place = task_groups.neighbours(db(), application.id, by=actor(), now=clock())
    review.confirm(db(), application.id, by=actor(), now=clock(), facts=findings)
    flash(
        _("%(code)s 已核实通过。", code=application.registration_code)
        if application.stage == Stage.CONFIRMED
        else _("%(code)s 有一项等第二人看，看过就通过。", code=application.registration_code)
    )
    return redirect_to_next(place[0] if place else None)


def _saved_meanwhile(shown: FactsForm) -> list[tuple[str, str]]:
    """What a colleague saved, beside what was chosen here and not saved."""
    return [
        (str(shown.form[line.fact.value].label.text), shown.names.value_words(line.fact, line.found.value))
        for line in shown.lines
        if line.found is not None
    ]


def _as_it_is(shown: FactsForm, line: FactRow) -> str:
    """What the family and the register say of a fact now, and what was found."""
    said = [_("家长填报 %(value)s", value=shown.names.value_words(line.fact, line.claimed))]
    if line.registered is not None:
        said.append(_("登记部门 %(value)s", value=shown.names.value_words(line.fact, line.registered)))
    if line.found is not None:
        verdict = (
            word("finding", "declined")
            if line.found.value is None
            else shown.names.value_words(line.fact, line.found.value)
        )
        said.append(_("核实 %(value)s", value=verdict))
    return " · ".join(said)


@pages.post("/applications/<uuid:application_id>/tier")
@desk("staff")
def tier_preview(application_id: uuid.UUID) -> ResponseReturnValue:
    """The card of the tier for the verdicts of the form, which is not saved."""
    found = _found(application_id)
    shown = facts_form(found)
    cards = tier_cards(case_tiers.own_wishes(db(), found, by=actor()), shown)
    return render_template("staff/tier_cards.html", cards=cards)


@pages.post("/applications/<uuid:application_id>/notes")
@desk("staff")
def add_note(application_id: uuid.UUID) -> ResponseReturnValue:
    form, found = NoteForm(), _found(application_id)
    if form.validate_on_submit():
        with refusals_in(form):
            notes.add(db(), application_id, form.text.data or "", by=actor(), now=clock())
            return _to(application_id)
    return application_page(found, facts_form(found), noting=form)


@pages.post("/applications/<uuid:application_id>/unmask")
@desk("staff")
def unmask(application_id: uuid.UUID) -> ResponseReturnValue:
    """Show name, telephone and address once, for a reason that stands in the audit trail."""
    form, found = ReasonForm(prefix="unmask-"), _found(application_id)
    reason = (form.reason.data or "").strip()
    if form.validate_on_submit() and reason:
        audit.record(db(), "unmask", "application", application_id, by=actor(), now=clock(), reason=reason)
        return application_page(found, facts_form(found), unmasked=True)
    form.reason.errors = [*form.reason.errors, _("请写明原因。")]
    return application_page(found, facts_form(found), unmasking=form)


def _why_not(fact: str) -> str:
    """The note of a second person who does not agree; empty where no reason was given."""
    why = request.form.get("why", "").strip()[: notes.LONGEST_TEXT // 2]
    return _("没有同意“%(fact)s”：%(why)s", fact=word("fact", fact), why=why) if why and fact in set(Fact) else ""


def _said(application_id: uuid.UUID, fact: str) -> str:
    """What a second person reads who has agreed: the finding of somebody who has left is now this person's own."""
    waiting = {each.fact for each in second_opinions.waiting(db(), application_id)}
    return _("核实的人已不再办这件事，这一项改记为您核实，还要另一位同意。") if fact in waiting else _("已同意。")


@pages.post("/applications/<uuid:application_id>/second/<fact>")
@desk("staff")
def second_opinion(application_id: uuid.UUID, fact: str) -> ResponseReturnValue:
    """The second person agrees with a finding against a register, or not."""
    form, found = ActForm(), _found(application_id)
    agreed, seen = request.form.get("agreed") == "yes", parse_moment(request.form.get("seen"))
    if form.validate_on_submit():
        with refusals_in(form):
            ended = second_opinions.decide(
                db(), application_id, fact, agreed=agreed, seen=seen, note=_why_not(fact), by=actor(), now=clock()
            )
            if ended:
                flash(_("%(code)s 已核实通过。", code=found.registration_code))
                return redirect(url_for("staff.queue"), 303)
            flash(_said(application_id, fact) if agreed else _("没有同意，这一项重新看。"))
            return _to(application_id)
    shown = facts_form(found)
    shown.form.form_errors += form.form_errors
    return application_page(found, shown)
