"""Letters for families without a mobile phone, in Chinese: the access code, and the state of an application."""

import datetime as dt
from collections.abc import Sequence

from enrollment.applications.applications import Application
from enrollment.applications.receipts import Receipt
from enrollment.family_messages.addresses import Address
from enrollment.offers.desk_contacts import FamilyToContact
from enrollment.people.desk_rows import AccessCode
from enrollment.places.kindergartens import Kindergarten
from enrollment.results.family_results import FamilyResult
from portal.letters.pdf_renderer import letter
from portal.text.formats import day, moment
from portal.text.words import word


def access_code_letter(
    application: Application,
    code: AccessCode,
    text: str,
    uses: Sequence[dt.datetime],
    *,
    address: str,
    demo: bool,
) -> bytes:
    """The PDF with a new access code and the uses of the earlier one.  Raises PdfUnavailable."""
    return letter(
        "access_code",
        application=application,
        text=text,
        valid_until=day(code.expires_at, year=True, in_language="zh"),
        issued=day(code.issued_at, year=True, in_language="zh"),
        uses=[moment(use, year=True, in_language="zh") for use in uses],
        address=address,
        demo=demo,
    )


def contact_letter(
    family: FamilyToContact,
    address: Address,
    sender: Kindergarten,
    *,
    says: Sequence[str],
    items: Sequence[str],
    on: dt.datetime,
    demo: bool,
) -> bytes:
    """The PDF that tells a family by post what a desk would tell it; the address stands in the window of a DL envelope
    when the sheet is folded in three.  Raises PdfUnavailable."""
    return letter(
        "contact",
        application=family.application,
        address=address,
        sender=sender,
        says=says,
        items=items,
        until=moment(family.until, year=True, in_language="zh") if family.until is not None else "",
        printed=day(on, year=True, in_language="zh"),
        demo=demo,
    )


def state_letter(
    application: Application,
    *,
    receipt: Receipt | None,
    result: FamilyResult | None,
    uses: Sequence[dt.datetime],
    items: Sequence[str] = (),
    on: dt.datetime,
    demo: bool,
) -> bytes:
    """The PDF with what is to be completed, receipt, result, answer and its deadline.  Raises PdfUnavailable."""
    offer = result.offer if result is not None else None
    return letter(
        "state",
        application=application,
        level=word("level", application.level, in_language="zh"),
        stage=word("stage", application.stage, in_language="zh"),
        receipt=receipt,
        submitted=moment(receipt.submitted_at, year=True, in_language="zh") if receipt is not None else "",
        published=result is not None,
        kindergarten=result.place.kindergarten.name if result is not None and result.place is not None else "",
        answer=word("offer_state", offer.state, in_language="zh") if offer is not None else "",
        answer_by=moment(offer.answer_by, year=True, in_language="zh") if offer is not None else "",
        items=items,
        uses=[moment(use, year=True, in_language="zh") for use in uses],
        printed=moment(on, year=True, in_language="zh"),
        demo=demo,
    )
