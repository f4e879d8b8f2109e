"""PDF letters: the admission notice of a confirmed place, and the receipt of a submission."""

import uuid

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import receipts
from enrollment.people import guardians
from enrollment.results import admission_notice, letters
from enrollment.results.letters import LetterPage, Subject
from portal.letters.notice import notice_page
from portal.letters.paper_copy import answer_rows
from portal.letters.preparing import FAMILIES, pdf_file, waiting_page
from portal.letters.receipt import receipt_page
from portal.parents import answer_summary, pages
from portal.parents.form_pages import application_of, times_of
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


def letter_response(
    application_id: uuid.UUID, page: LetterPage, file: str, *, back: str, back_text: str
) -> ResponseReturnValue:
    """The letter as PDF, or a page that waits for it.  The caller has checked who may read what the page says."""
    letter = letters.ask(db(), Subject(application_id=application_id), page, now=clock())
    waiting = waiting_page(letter, frame=FAMILIES, back=back, back_text=back_text)
    return waiting if waiting is not None else pdf_file(letter, file)


@pages.get("/applications/<uuid:application_id>/notice.pdf")
@desk("parents")
def notice_pdf(application_id: uuid.UUID) -> ResponseReturnValue:
    config = services().config
    found = admission_notice.of_application(db(), application_id, by=actor())
    page = notice_page(found, public_url=config.public_url, demo=config.demo)
    back = url_for("parents.result_page", application_id=application_id)
    return letter_response(application_id, page, f"notice-{found.code}", back=back, back_text=_("派位结果"))


@pages.get("/applications/<uuid:application_id>/receipts/<int:number>.pdf")
@desk("parents", allows_helper=True)
def receipt_pdf(application_id: uuid.UUID, number: int) -> ResponseReturnValue:
    application = application_of(application_id)
    receipt = receipts.numbered(db(), application, number)
    answers = receipts.answers_in(db(), application, number)
    wished = answer_summary.wish_names(db(), answers)
    lines = answer_rows(db(), answers) if receipt.helper else ()
    changed = [answer_summary.changed_words(code) for code in receipt.changed]
    page = receipt_page(
        application,
        receipt,
        child=answers["child"],
        wished=wished,
        wished_in=answer_summary.round_of_wishes(db(), application, receipt, answers),
        bound=answer_summary.bound_names(db(), application, answers, by=actor()),
        changed=changed,
        lines=lines,
        registers=answer_summary.register_words(answers),
        central=answer_summary.central_words(answers),
        has_phone=guardians.have_a_phone(db(), application.child_id),
        closes_at=registering.closes_at if (registering := times_of(application).open) is not None else None,
        demo=services().config.demo,
    )
    back = url_for("parents.receipt_page", application_id=application_id, number=number)
    file = f"receipt-{receipt.registration_code}-{number}"
    return letter_response(application_id, page, file, back=back, back_text=_("回执"))
