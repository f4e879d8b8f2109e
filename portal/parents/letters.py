"""PDF letters: the admission notice of a confirmed place, and the receipt of a submission."""

import uuid

from flask import Response
from flask.typing import ResponseReturnValue

from enrollment.applications import receipts
from enrollment.people import guardians
from enrollment.results import admission_notice
from portal.letters.notice import notice
from portal.letters.paper_copy import answer_rows
from portal.letters.pdf_renderer import PdfUnavailable
from portal.letters.receipt import receipt_letter
from portal.letters.unavailable import letters_wait
from portal.parents import answer_summary, pages
from portal.parents.form_pages import application_of
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


def pdf_response(content: bytes, name: str) -> Response:
    return Response(
        content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "no-store"},
    )


@pages.get("/applications/<uuid:application_id>/notice.pdf")
@desk("parents")
def notice_pdf(application_id: uuid.UUID) -> ResponseReturnValue:
    config = services().config
    found = admission_notice.of_application(db(), application_id, by=actor())
    try:
        content = notice(found, public_url=config.public_url, demo=config.demo, on=clock())
    except PdfUnavailable as fault:
        return letters_wait(fault)
    return pdf_response(content, f"notice-{found.code}")


@pages.get("/applications/<uuid:application_id>/receipts/<int:number>.pdf")
@desk("parents", allows_helper=True)
def receipt_pdf(application_id: uuid.UUID, number: int) -> ResponseReturnValue:
    application = application_of(application_id)
    receipt = receipts.numbered(db(), application, number)
    answers = receipts.answers_in(db(), application, number)
    wished = answer_summary.wish_names(db(), answers)
    lines = answer_rows(db(), answers) if receipt.helper else ()
    changed = [answer_summary.changed_words(code) for code in receipt.changed]
    try:
        content = receipt_letter(
            application,
            receipt,
            wished=wished,
            bound=answer_summary.bound_names(db(), application, answers, by=actor()),
            changed=changed,
            lines=lines,
            has_phone=guardians.have_a_phone(db(), application.child_id),
            demo=services().config.demo,
        )
    except PdfUnavailable as fault:
        return letters_wait(fault)
    return pdf_response(content, f"receipt-{receipt.registration_code}-{number}")
