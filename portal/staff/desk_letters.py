"""Letters that a desk prints for a family without a mobile phone: the access code, and where the application stands."""

import uuid
from collections.abc import Sequence

from flask import Response, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import receipts
from enrollment.applications.guardian_access import access_codes, desk_access
from enrollment.applications.returned_items import ReturnedItem
from enrollment.family_messages import addresses
from enrollment.ground import audit
from enrollment.ground.accounts import actor_of
from enrollment.ground.errors import NotFound
from enrollment.offers import desk_contacts
from enrollment.results import admission_notice, family_results, letters
from portal.letters.desk import access_code_letter, contact_letter, state_letter
from portal.letters.notice import notice_page
from portal.letters.pdf_renderer import PdfUnavailable
from portal.letters.preparing import letters_wait, waiting_page
from portal.staff import pages
from portal.staff.own_kindergartens import own_kindergartens
from portal.staff.queue_lines import item_words
from portal.text import languages
from portal.text.messages import desk_words
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


def _sheet(content: bytes, name: str) -> Response:
    return Response(
        content,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "no-store"},
    )


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/access-code")
@desk("staff", step_up=True)
def access_code_pdf(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """Issue a code and print it.  The earlier one is void; nobody can read a code again."""
    code, text = access_codes.issue(db(), application_id, account_id, by=actor(), now=clock())
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    uses = access_codes.tell_uses(db(), account_id, now=clock())
    config = services().config
    address = f"{config.public_url}/sign-in/access-code"
    try:
        content = access_code_letter(application, code, text, uses, address=address, demo=config.demo)
    except PdfUnavailable as fault:
        return letters_wait(fault)
    return _sheet(content, "access-code")


@pages.get("/desk/<uuid:application_id>/contact.pdf")
@desk("staff")
def contact_pdf(application_id: uuid.UUID) -> ResponseReturnValue:
    """What the desk has to tell a family, as a letter to its address; nobody stands at the desk."""
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    family = desk_contacts.family_to_contact(db(), application, by=actor(), now=clock())
    address = next(iter(addresses.of_applications(db(), [application.id])), None)
    if family is None or address is None:
        raise NotFound("letter")
    try:
        with languages.speaking("zh"):
            content = contact_letter(
                family, address, own_kindergartens()[0], on=clock(), demo=services().config.demo,
                says=[desk_words(kind, params) for kind, params in family.says], items=_items_in_words(family.items),
            )  # fmt: skip
    except PdfUnavailable as fault:
        return letters_wait(fault)
    audit.record(db(), "print_at_desk", "application", application.id, by=actor(), now=clock())
    return _sheet(content, "letter")


def _items_in_words(items: Sequence[ReturnedItem]) -> list[str]:
    return [f"{item_words(each.item)}：{each.note}" if each.note else item_words(each.item) for each in items]


@pages.get("/desk/<uuid:application_id>/<uuid:account_id>/letter.pdf")
@desk("staff")
def state_pdf(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """Receipt, result and answer in one letter."""
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    desk_access.guardian_account(db(), application, account_id)
    desk_access.require_check(db(), application_id, account_id, by=actor(), now=clock())
    audit.record(db(), "print_at_desk", "application", application.id, by=actor(), now=clock())
    try:
        content = state_letter(
            application,
            receipt=receipts.latest(db(), application),
            result=family_results.for_application(db(), application.id, now=clock()),
            uses=access_codes.tell_uses(db(), account_id, now=clock()),
            items=_items_in_words(desk_contacts.open_items(db(), application)),
            on=clock(),
            demo=services().config.demo,
        )
    except PdfUnavailable as fault:
        return letters_wait(fault)
    return _sheet(content, "letter")


@pages.get("/desk/<uuid:application_id>/<uuid:account_id>/notice.pdf")
@desk("staff")
def desk_notice_pdf(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """The admission notice, for the guardian at the desk."""
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    account = desk_access.guardian_account(db(), application, account_id)
    desk_access.require_check(db(), application_id, account_id, by=actor(), now=clock())
    config = services().config
    found = admission_notice.of_application(db(), application_id, by=actor_of(account))
    page = notice_page(found, public_url=config.public_url, demo=config.demo)
    letter = letters.ask(db(), application.id, page, now=clock())
    back = url_for("staff.desk_guardian", application_id=application_id, account_id=account_id)
    waiting = waiting_page(letter, frame="staff/base.html", back=back, back_text=_("窗口办理"))
    if waiting is not None:
        return waiting
    audit.record(db(), "print_at_desk", "application", application.id, by=actor(), now=clock())
    return _sheet(letter.content or b"", f"notice-{found.code}")
