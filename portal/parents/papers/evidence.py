"""Evidence: the documents that the claims require, uploading photos, removing and restoring a page."""

import uuid
from collections.abc import Collection
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField

from enrollment.applications import applications, deadlines, register_answers
from enrollment.applications.applications import Application, Stage
from enrollment.eligibility import (
    asked_papers,
    evidence,
    evidence_pictures,
    register_questions,
    required_documents,
)
from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from enrollment.ground.files.uploads import MOST_PDF_PAGES
from enrollment.people import consents
from enrollment.people.consents import Register
from enrollment.review import review
from portal.parents import pages, steps
from portal.parents.form_pages import application_of, form_page, is_late_correction, state_of_form, times_of
from portal.text.facts import asked_words
from portal.text.words import word
from portal.web.drafts import draft_owner
from portal.web.evidence_files import file_response
from portal.web.forms import PageForm, refusals_in, second_form
from portal.web.guards import desk
from portal.web.shared_views.register_choice import RegistersField, register_hints, register_terms
from portal.web.unit_of_work import account_id, actor, clock, db
from portal.web.upload_fields import PHOTO_OR_PDF, UploadsField, accepts_uploads


class PagesForm(PageForm):
    document = HiddenField()
    pages = UploadsField(_l("选择照片或 PDF"), kinds=PHOTO_OR_PDF)

    def contents(self) -> list[bytes]:
        return [file.read() for file in self.pages.data or [] if getattr(file, "filename", None)]


class RegistersForm(PageForm):
    """Which registers may be asked, of those that hold something that the family claims."""

    registers = RegistersField(_l("同意向这些部门核对"))
    chosen = HiddenField(default="1")
    """Says that this form was filled in, also where no register is ticked."""

    def keep(self, held: Collection[Register]) -> None:
        self.registers.choices = [choice for choice in self.registers.choices or [] if choice[0] in held]


def _register_choice(application: Application, form: RegistersForm | None = None) -> dict[str, Any]:
    """The fold with the registers.  The guardian who entered the application chooses; everybody else only reads."""
    held = register_questions.registers_about(db(), application.id)
    agreed = register_answers.may_be_asked(db(), application)
    form = form or second_form(RegistersForm, registers=[register for register in held if register in agreed])
    form.keep(held)
    return {
        "registers_form": form,
        "register_hints": register_hints(),
        "held": held,
        "agreed": {register: consent for register, consent in agreed.items() if register in held},
        "may_agree": (application.entered_for or application.entered_by) == account_id() and not actor().on_behalf,
    }


def _view(application: Application, faulty: PagesForm | None = None) -> ResponseReturnValue:
    return form_page(
        "evidence",
        "evidence",
        application,
        faulty,
        removed=evidence.seen_by(evidence.removed_of(db(), application.id), by=actor()),
        onward=_onward(application),
        known_areas=required_documents.areas_of(db(), application),
        **_register_choice(application),
        **paper_values(application, faulty),
    )


def paper_values(application: Application, faulty: PagesForm | None = None) -> dict[str, Any]:
    """What the cards of the papers show, and the count above them."""
    needed = required_documents.needed(db(), application)
    there = evidence.pages_of(db(), application.id)
    seen = {name: evidence.seen_by(pages, by=actor()) for name, pages in there.items()}
    evidence_pictures.ask_for_missing(db(), [page for some in seen.values() for page in some], now=clock())
    names = [paper.document.value for paper in needed]
    names += [name for name in there if name not in names]
    addable = [document.value for document in asked_papers.addable(db(), application, now=clock())]
    names += [name for name in addable if name not in names]
    notes = {each.item: asked_words(each.phrase, each.note) for each in review.open_items(db(), application.id)}
    names.sort(key=lambda name: name not in notes)  # what a clerk asked for comes first
    forms = {name: PagesForm(formdata=None, document=name, prefix="") for name in names}
    if faulty is not None and faulty.document.data in forms:
        forms[faulty.document.data] = faulty
    for name, form in forms.items():
        form.pages.id = f"pages-{name}"
    waiting = [document.value for document in asked_papers.unanswered(db(), application)]
    by_register = [
        paper.document.value
        for paper in needed
        if paper.may_wait and not paper.there and paper.document.value not in [*waiting, *addable]
    ]
    petals = [_petal(name, there, by_register, [*waiting, *addable]) for name in names if name in _counted(needed)]
    return {
        "heading": _heading(petals),
        "petals": petals,
        "needed": {paper.document.value: paper for paper in needed},
        "names": names,
        "by_register": by_register,
        "forms": forms,
        "there": seen,
        "of_the_family": {name: len(there[name]) - len(seen[name]) for name in there},
        "at_siblings": _at_siblings(application),
        "most_pdf_pages": MOST_PDF_PAGES,
        "addable": addable,
        "addable_until": asked_papers.review_goes_on_until(db(), application, now=clock()),
        "may_change": deadlines.looks_editable(application, times_of(application)),
        "notes": notes,
        "waiting": waiting,
        "keeps": draft_owner() is not None,
    }


def _heading(petals: list[str]) -> str:
    done = petals.count("done")
    if not petals:
        return word("page", "evidence")
    if done == len(petals):
        return _("证明材料：%(n)s 份都好了", n=done)
    return _("证明材料：%(all)s 份里，好了 %(n)s 份", all=len(petals), n=done)


def _counted(needed: list[required_documents.Needed]) -> set[str]:
    return {paper.document.value for paper in needed}


def _petal(name: str, there: dict[str, list], by_register: list[str], asked: list[str]) -> str:
    """`done`, `look` where a page cannot be read or a clerk asks again, or `todo`."""
    if name in asked:
        return "look"
    if name in by_register:
        return "done"
    if name not in there:
        return "todo"
    return "look" if any(page.blurred for page in there[name]) else "done"


def _onward(application: Application) -> tuple[str, str]:
    """Where the page leads on, and what its button says: the next unfinished page; after registration the check page; once the
    application is handed in, the application."""
    if is_late_correction(application):
        return url_for("parents.check_page", application_id=application.id), _(
            "继续：%(page)s", page=word("page", "check")
        )
    if application.stage not in (Stage.DRAFT, Stage.RETURNED):
        return url_for("parents.application_page", application_id=application.id), _("回到我的申请")
    step = steps.step_after("evidence", state_of_form(application))
    if step.href is None:
        return url_for("parents.tasks", application_id=application.id), _("回到我的申请")
    return step.href, _("继续：%(page)s", page=word("page", step.leads_to))


def _at_siblings(application: Application) -> dict[str, tuple]:
    """For each document, the first sibling's application that has it, and its number of pages."""
    found: dict[str, tuple] = {}
    for sibling in applications.of_family(db(), application, by=actor()):
        if sibling.id == application.id:
            continue
        for document, there in evidence.pages_of(db(), sibling.id).items():
            seen = evidence.seen_by(there, by=actor())
            if document not in evidence.OF_ONE_CHILD and seen:
                found.setdefault(document, (sibling, len(seen)))
    return found


@pages.get("/applications/<uuid:application_id>/evidence")
@desk("parents", allows_helper=True)
def evidence_page(application_id: uuid.UUID) -> ResponseReturnValue:
    return _view(application_of(application_id))


@pages.post("/applications/<uuid:application_id>/evidence")
@desk("parents", allows_helper=True)
@accepts_uploads(MOST_AT_ONCE)
def add_evidence(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = PagesForm()
    if form.validate_on_submit():
        with refusals_in(form):
            there = evidence.pages_of(db(), application_id).get(form.document.data or "", [])
            pages_now = evidence.add_pages(
                db(), application_id, form.document.data or "", form.contents(), by=actor(), now=clock()
            )
            fresh = {page.id: page for page in pages_now if page.id not in {known.id for known in there}}
            if fresh:
                flash(_("已保存 %(n)s 页。", n=len(fresh)))
            if same := len(pages_now) - len(fresh):
                flash(_("有 %(n)s 张与已有的照片完全相同，只留一份。", n=same), "warn")
            if blurred := sum(1 for page in fresh.values() if page.blurred):
                flash(_("其中 %(n)s 页看起来不够清楚。请放大看看，字认不出来就移除、重拍一张。", n=blurred), "warn")
            return _back(application_id, form.document.data)
    return _view(application, form)


@pages.post("/applications/<uuid:application_id>/evidence/registers")
@desk("parents")
def choose_registers(application_id: uuid.UUID) -> ResponseReturnValue:
    """Agree to the ticked registers; the others of the page are not asked, and their papers are asked for instead."""
    application = application_of(application_id)
    form = RegistersForm()
    shown = _register_choice(application, form)
    if not shown["may_agree"] or not form.validate_on_submit():
        abort(404)
    terms = {register: text for register, text in register_terms().items() if register in shown["held"]}
    consents.choose_registers(db(), form.registers.data or [], terms, by=actor(), now=clock())
    flash(_("已记下。没有同意的部门不会去问，请上传对应的材料。"))
    return redirect(url_for("parents.evidence_page", application_id=application_id, _anchor="registers"), 303)


@pages.post("/applications/<uuid:application_id>/evidence/from/<uuid:sibling_id>")
@desk("parents", allows_helper=True)
def take_evidence(application_id: uuid.UUID, sibling_id: uuid.UUID) -> ResponseReturnValue:
    document = request.form.get("document", "")
    taken = evidence.take_from_sibling(db(), application_id, document, sibling_id, by=actor(), now=clock())
    flash(_("已保存 %(n)s 页。", n=taken))
    return _back(application_id, document)


@pages.post("/applications/<uuid:application_id>/evidence/<uuid:page_id>/remove")
@desk("parents", allows_helper=True)
def remove_evidence(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    evidence.remove_page(db(), application_id, page_id, by=actor(), now=clock())
    flash(_("已移除。可以在页面下方恢复。"))
    return _back(application_id)


@pages.post("/applications/<uuid:application_id>/evidence/<uuid:page_id>/restore")
@desk("parents", allows_helper=True)
def restore_evidence(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    if evidence.restore_page(db(), application_id, page_id, by=actor(), now=clock()):
        flash(_("已恢复。"))
    else:
        flash(_("同样的一页后来又上传过，所以没有恢复这一页。"), "warn")
    return _back(application_id)


@pages.get("/applications/<uuid:application_id>/evidence/<uuid:page_id>")
@desk("parents", allows_helper=True)
def evidence_file(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    """Download a page of the family's evidence."""
    safe = evidence.read_page(db(), application_id, page_id, by=actor())
    return file_response(safe.media_type, safe.content, page_id.hex[:8])


def _back(application_id: uuid.UUID, document: str | None = None) -> ResponseReturnValue:
    anchor = f"paper-{document}" if document else None
    query: dict[str, Any] = {"from": "check"} if request.args.get("from") == "check" else {}
    return redirect(url_for("parents.evidence_page", application_id=application_id, _anchor=anchor, **query), 303)
