"""Shared by the desks of staff and officials: possible duplicates side by side, their verdict, and added documents."""

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import Length

from enrollment.corrections import added_documents
from enrollment.ground import audit
from enrollment.ground.errors import Refused
from enrollment.ground.vault import mask
from enrollment.people.duplicate_rows import VERDICTS, Verdict
from enrollment.review import duplicates
from enrollment.review.review import LONGEST_NOTE
from portal.text.numbers import whole_number
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in, second_form
from portal.web.unit_of_work import actor, clock, db


class VerdictForm(PageForm):
    verdict = RadioField(_l("是不是同一个孩子"), validate_choice=False)
    reason = TextAreaField(_l("依据（判为同一个孩子时，家长会看到）"), [Length(max=LONGEST_NOTE)])

    def set_choices(self) -> None:
        self.verdict.choices = coded_choices("duplicate_verdict", VERDICTS)


class RevealForm(PageForm):
    why = StringField(_l("为什么要看完整信息"), [Length(max=LONGEST_NOTE)])


class DocumentForm(PageForm):
    accepted = HiddenField()


def list_page(desk: str, form: PageForm | None = None) -> ResponseReturnValue:
    """Open pairs, documents to look at, and the last verdicts."""
    pairs = duplicates.open_pairs(db(), by=actor())
    audit.record(db(), "view", "duplicates", desk, by=actor(), now=clock(), pairs=len(pairs))
    return render_template(
        f"{desk}/duplicates.html",
        desk=desk,
        form=form or ActForm(),
        pairs=pairs,
        decided=duplicates.decided_pairs(db(), by=actor(), page=request.args.get("page", 1, whole_number)),
        documents=duplicates.documents_to_look_at(db(), by=actor()),
        mask=mask,
    )


def pair_page(
    desk: str,
    hint_id: uuid.UUID,
    form: VerdictForm | None = None,
    reveal: RevealForm | None = None,
    *,
    open_text: bool = False,
) -> ResponseReturnValue:
    """One pair side by side, masked unless the reader said why it has to be read."""
    pair = duplicates.find(db(), hint_id, by=actor())
    posted = form or reveal
    form, reveal = form or VerdictForm(formdata=None), reveal or second_form(RevealForm)
    form.set_choices()
    audit.record(db(), "view", "duplicate_hint", hint_id, by=actor(), now=clock())
    return render_template(
        f"{desk}/duplicate.html",
        desk=desk,
        pair=pair,
        form=posted or form,
        verdict=form,
        reveal=reveal,
        masked=(lambda text, *ends: text) if open_text else mask,
        open_text=open_text,
        waits=pair.hint.verdict == Verdict.SAME and pair.hint.decided_at is None,
        is_own=pair.hint.first_by == actor().account_id,
    )


def judge(desk: str, hint_id: uuid.UUID) -> ResponseReturnValue:
    form = VerdictForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            hint = duplicates.judge(
                db(),
                hint_id,
                verdict=form.verdict.data or "",
                reason=form.reason.data or "",
                by=actor(),
                now=clock(),
            )
            flash(_("已记下。") if hint.decided_at else _("已记下，等第二人决定。在那之前两份申请都不变。"))
            return redirect(url_for(f"{desk}.duplicate_list"), 303)
    return pair_page(desk, hint_id, form)


def reveal(desk: str, hint_id: uuid.UUID) -> ResponseReturnValue:
    """The same page with full names and numbers; the reason stands in the audit trail."""
    form = RevealForm()
    why = (form.why.data or "").strip()
    if form.validate_on_submit() and not why:
        form.refuse(Refused("say_why", field="why"))
    if form.errors:
        return pair_page(desk, hint_id, reveal=form)
    audit.record(db(), "unmask", "duplicate_hint", hint_id, by=actor(), now=clock(), reason=why)
    return pair_page(desk, hint_id, open_text=True)


def look_at_document(desk: str, document_id: uuid.UUID) -> ResponseReturnValue:
    form = DocumentForm()
    if form.validate_on_submit():
        accepted = form.accepted.data == "yes"
        with refusals_in(form):
            added_documents.look_at_document(db(), document_id, accepted=accepted, by=actor(), now=clock())
            flash(_("证件已采用，家长会收到通知。") if accepted else _("证件没有采用，家长会收到通知。"))
            return redirect(url_for(f"{desk}.duplicate_list"), 303)
    return list_page(desk, form)
