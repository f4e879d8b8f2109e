"""Letters that a desk prints for a family without a mobile phone, which say where its application stands."""

import uuid

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import receipts
from enrollment.applications.guardian_access import access_codes, desk_access
from enrollment.family_messages import addresses
from enrollment.ground import audit
from enrollment.ground.accounts import actor_of
from enrollment.ground.errors import NotFound
from enrollment.offers import desk_contacts
from enrollment.results import admission_notice, family_results, letters
from enrollment.results.letters import Letter, Subject
from portal.letters.desk import contact_letter, state_letter
from portal.letters.notice import notice_page
from portal.letters.preparing import pdf_file, waiting_page
from portal.staff import pages
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


def _given(letter: Letter, name: str, application_id: uuid.UUID, *, back: str) -> ResponseReturnValue:
    """The letter as PDF, on record; or the page that waits for it."""
    waiting = waiting_page(letter, frame="staff/base.html", back=back, back_text=_("窗口办理"))
    if waiting is not None:
        return waiting
    audit.record(db(), "print_at_desk", "application", application_id, by=actor(), now=clock())
    return pdf_file(letter, name)


def own_letters() -> Subject:
    """The letters that this clerk alone reads."""
    return Subject(account_id=actor().account_id)


def _guardian_page(application_id: uuid.UUID, account_id: uuid.UUID) -> str:
    return url_for("staff.desk_guardian", application_id=application_id, account_id=account_id)


@pages.get("/desk/<uuid:application_id>/contact.pdf")
@desk("staff")
def contact_pdf(application_id: uuid.UUID) -> ResponseReturnValue:
    """What the desk has to tell a family, as a letter to its address; nobody stands at the desk."""
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    family = desk_contacts.family_to_contact(db(), application, by=actor(), now=clock())
    address = next(iter(addresses.of_applications(db(), [application.id])), None)
    sender = desk_contacts.sender(db(), application, by=actor())
    if family is None or address is None or sender is None:
        raise NotFound("letter")
    page = contact_letter(family, address, sender, on=clock(), demo=services().config.demo)
    letter = letters.ask(db(), own_letters(), page, now=clock())
    back = url_for("staff.desk_family", application_id=application_id)
    return _given(letter, "letter", application.id, back=back)


@pages.get("/desk/<uuid:application_id>/<uuid:account_id>/letter.pdf")
@desk("staff")
def state_pdf(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """Receipt, result and answer in one letter."""
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    desk_access.guardian_account(db(), application, account_id)
    desk_access.require_check(db(), application_id, account_id, by=actor(), now=clock())
    page = state_letter(
        application,
        account_id,
        receipt=receipts.latest(db(), application),
        result=family_results.for_application(db(), application.id, now=clock()),
        uses=access_codes.untold_uses(db(), account_id),
        items=desk_contacts.open_items(db(), application),
        on=clock(),
        demo=services().config.demo,
    )
    letter = letters.ask(db(), own_letters(), page, now=clock())
    answer = _given(letter, "letter", application.id, back=_guardian_page(application_id, account_id))
    if letter.content is not None and not request.args.get("follow"):
        access_codes.tell_uses(db(), account_id, now=clock())
    return answer


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
    letter = letters.ask(db(), Subject(application_id=application.id), page, now=clock())
    back = _guardian_page(application_id, account_id)
    return _given(letter, f"notice-{found.code}", application.id, back=back)
