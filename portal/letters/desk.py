"""Letters for families without a mobile phone, in Chinese: the access code, and the state of an application."""

import datetime as dt
import uuid
from collections.abc import Sequence

from enrollment.applications.applications import Application
from enrollment.applications.receipts import Receipt
from enrollment.applications.returned_items import ReturnedItem
from enrollment.family_messages.addresses import Address
from enrollment.ground.retention import DAY
from enrollment.offers.desk_contacts import FamilyToContact
from enrollment.people.desk_rows import AccessCode
from enrollment.places.kindergartens import Kindergarten
from enrollment.results.family_results import FamilyResult
from enrollment.results.letters import CODE_KEPT, LetterPage
from portal.letters.pages import letter_page
from portal.text import languages
from portal.text.facts import asked_words, item_words
from portal.text.formats import day, moment
from portal.text.messages import desk_words
from portal.text.words import word

LANGUAGE = "zh"
"""The desk writes to families in Chinese, whichever language its own pages have."""


def access_code_letter(
    application: Application,
    code: AccessCode,
    text: str,
    uses: Sequence[dt.datetime],
    *,
    address: str,
    demo: bool,
) -> LetterPage:
    """The letter with a new access code and the uses of the earlier one; it is given for ten minutes."""
    with languages.speaking(LANGUAGE):
        return letter_page(
            access_code_name(code),
            "access_code",
            kept=CODE_KEPT,
            application=application,
            text=text,
            valid_until=day(code.expires_at, year=True),
            issued=day(code.issued_at, year=True),
            uses=[moment(use, year=True) for use in uses],
            address=address,
            demo=demo,
        )


def access_code_name(code: AccessCode) -> str:
    """The name of the letter among those of the clerk who issued the code."""
    return f"access-code-{code.id}"


def contact_letter(
    family: FamilyToContact, address: Address, sender: Kindergarten, *, on: dt.datetime, demo: bool
) -> LetterPage:
    """The letter that tells a family by post what a desk would tell it; the address stands in the window of a DL envelope
    when the sheet is folded in three."""
    with languages.speaking(LANGUAGE):
        return letter_page(
            "contact",
            "contact",
            kept=DAY,
            dated=day(on, year=True),
            application=family.application,
            address=address,
            sender=sender,
            says=[desk_words(kind, params) for kind, params in family.says],
            items=items_in_words(family.items),
            hidden_items=family.hidden_items,
            until=moment(family.until, year=True) if family.until is not None else "",
            demo=demo,
        )


def items_in_words(items: Sequence[ReturnedItem]) -> list[str]:
    """What a family has to complete, and what the clerk asks for."""
    asked = [(item_words(each.item), asked_words(each.phrase, each.note)) for each in items]
    return [f"{item}：{what}" if what else item for item, what in asked]


def state_letter(
    application: Application,
    account_id: uuid.UUID,
    *,
    receipt: Receipt | None,
    result: FamilyResult | None,
    uses: Sequence[dt.datetime],
    items: Sequence[ReturnedItem] = (),
    on: dt.datetime,
    demo: bool,
) -> LetterPage:
    """The letter to a guardian with what is to be completed, receipt, result, answer and its deadline."""
    offer = result.offer if result is not None else None
    with languages.speaking(LANGUAGE):
        return letter_page(
            f"state-{account_id}",
            "state",
            printed=moment(on, year=True),
            kept=DAY,
            application=application,
            level=word("level", application.level),
            stage=word("stage", application.stage),
            receipt=receipt,
            submitted=moment(receipt.submitted_at, year=True) if receipt is not None else "",
            published=result is not None,
            kindergarten=result.place.kindergarten.name if result is not None and result.place is not None else "",
            answer=word("offer_state", offer.state) if offer is not None else "",
            answer_by=moment(offer.answer_by, year=True) if offer is not None else "",
            items=items_in_words(items),
            uses=[moment(use, year=True) for use in uses],
            demo=demo,
        )
