"""One uploaded page: looking at it as a picture, turning it, putting another in its place."""

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from enrollment.applications import deadlines
from enrollment.applications.applications import Application
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.eligibility import asked_papers, evidence, evidence_pictures
from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from portal.parents import pages
from portal.parents.form_pages import application_of, form_page, times_of
from portal.web.evidence_files import inline_picture
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import PHOTO_OR_PDF, UploadField, accepts_uploads


class ReplacementForm(PageForm):
    page = UploadField(_l("换成这张照片或 PDF"), kinds=PHOTO_OR_PDF)

    def content(self) -> bytes:
        return self.page.data.read() if getattr(self.page.data, "filename", None) else b""


def _view(application: Application, page: EvidencePage, form: ReplacementForm) -> ResponseReturnValue:
    evidence_pictures.ask_for_missing(db(), [page], now=clock())
    listed = evidence.seen_by(evidence.pages_of(db(), application.id).get(page.document, []), by=actor())
    return form_page(
        "evidence_page",
        "evidence",
        application,
        form,
        uploaded=page,
        number=next((number for number, each in enumerate(listed, 1) if each.id == page.id), None),
        is_pdf=page.media_type == evidence_pictures.PDF,
        may_change=may_change(application, page.document),
    )


def may_change(application: Application, document: str) -> bool:
    """Whether this paper can be changed now: the form is open, or a clerk asked for the paper and still waits for it."""
    addable = [each.value for each in asked_papers.addable(db(), application, now=clock())]
    return deadlines.looks_editable(application, times_of(application)) or document in addable


@pages.get("/applications/<uuid:application_id>/evidence/<uuid:page_id>/view")
@desk("parents", allows_helper=True)
def evidence_view(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    page = evidence.own_page(db(), application_id, page_id, by=actor())
    return _view(application_of(application_id), page, ReplacementForm())


@pages.get("/applications/<uuid:application_id>/evidence/<uuid:page_id>/pictures/<int:number>")
@desk("parents", allows_helper=True)
def evidence_picture(application_id: uuid.UUID, page_id: uuid.UUID, number: int) -> ResponseReturnValue:
    """0 is the thumbnail; the others are the sheets of a PDF, or the photo itself."""
    evidence.own_page(db(), application_id, page_id, by=actor())
    return inline_picture(evidence.picture(db(), application_id, page_id, number).content, page_id.hex[:8])


@pages.post("/applications/<uuid:application_id>/evidence/<uuid:page_id>/turn")
@desk("parents", allows_helper=True)
def turn_evidence(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    evidence.turn_page(db(), application_id, page_id, by=actor(), now=clock())
    flash(_("已转 90 度。"))
    return _back(application_id, page_id)


@pages.post("/applications/<uuid:application_id>/evidence/<uuid:page_id>/readable")
@desk("parents", allows_helper=True)
def call_evidence_readable(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    evidence.call_readable(db(), application_id, page_id, by=actor(), now=clock())
    flash(_("好的，这一页留下。"))
    return _back(application_id, page_id)


@pages.post("/applications/<uuid:application_id>/evidence/<uuid:page_id>/replace")
@desk("parents", allows_helper=True)
@accepts_uploads(MOST_AT_ONCE)
def replace_evidence(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    page = evidence.own_page(db(), application_id, page_id, by=actor())
    form = ReplacementForm()
    if form.validate_on_submit():
        with refusals_in(form):
            evidence.replace_page(db(), application_id, page_id, form.content(), by=actor(), now=clock())
            flash(_("已换好。旧的一页可以在页面下方恢复。"))
            return _back(application_id, page_id)
    return _view(application_of(application_id), page, form)


def _back(application_id: uuid.UUID, page_id: uuid.UUID) -> ResponseReturnValue:
    """To the card of the paper; the page itself may have been replaced."""
    page = evidence.own_page(db(), application_id, page_id, by=actor())
    address = url_for("parents.evidence_page", application_id=application_id, _anchor=f"paper-{page.document}")
    return redirect(address, 303)
