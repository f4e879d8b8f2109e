"""Addresses on paper: a sheet of labels, or one envelope on each page, with the address where its window is."""

import uuid
from collections.abc import Sequence
from enum import StrEnum

from enrollment.family_messages.addresses import Address
from enrollment.ground.retention import DAY
from enrollment.results.letters import LetterPage
from portal.letters.pages import letter_page
from portal.text import languages


class Sheet(StrEnum):
    """A4 with 3 × 8 labels of 70 × 36 mm; envelopes DL (220 × 110 mm) and C5 (229 × 162 mm)."""

    LABELS = "labels"
    DL = "dl"
    C5 = "c5"


LABELS_OF_A_SHEET = 24


def address_sheets(
    message_id: uuid.UUID, addresses: Sequence[Address], sheet: Sheet, *, sender: str, demo: bool
) -> LetterPage:
    """The sheets for a message.  `sender` stands on envelopes."""
    of_a_page = LABELS_OF_A_SHEET if sheet == Sheet.LABELS else 1
    pages = [addresses[start : start + of_a_page] for start in range(0, len(addresses), of_a_page)]
    with languages.speaking("zh"):
        name = f"addresses-{sheet.value}-{message_id}"
        return letter_page(name, "addresses", kept=DAY, pages=pages, sheet=sheet.value, sender=sender, demo=demo)
