"""A letter of a kindergarten with a text of its own, in Chinese, and in English where a guardian reads it."""

import datetime as dt

from enrollment.applications.application_rows import Application
from enrollment.family_messages.addresses import Address
from enrollment.places.kindergartens import Kindergarten
from portal.letters.pages import letter_html
from portal.text.formats import day


def family_letter(
    application: Application,
    address: Address | None,
    sender: Kindergarten,
    texts: dict[str, str],
    *,
    in_english: bool,
    on: dt.datetime,
    demo: bool,
) -> str:
    """The HTML.  The address, where the family gave one, stands in the window of a DL envelope when the sheet is folded in
    three."""
    return letter_html(
        "family_letter",
        application=application,
        address=address,
        sender=sender,
        texts=texts,
        in_english=in_english,
        dated=day(on, year=True, in_language="zh"),
        demo=demo,
    )
