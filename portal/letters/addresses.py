"""Addresses on paper: a sheet of labels, or one envelope on each page, with the address where its window is."""

from collections.abc import Sequence
from enum import StrEnum

from enrollment.family_messages.addresses import Address
from portal.letters.pdf_renderer import letter


class Sheet(StrEnum):
    """A4 with 3 × 8 labels of 70 × 36 mm; envelopes DL (220 × 110 mm) and C5 (229 × 162 mm)."""

    LABELS = "labels"
    DL = "dl"
    C5 = "c5"


LABELS_OF_A_SHEET = 24


def address_sheets(addresses: Sequence[Address], sheet: Sheet, *, sender: str, demo: bool) -> bytes:
    """The PDF.  `sender` stands on envelopes.  Raises PdfUnavailable."""
    of_a_page = LABELS_OF_A_SHEET if sheet == Sheet.LABELS else 1
    pages = [addresses[start : start + of_a_page] for start in range(0, len(addresses), of_a_page)]
    return letter("addresses", pages=pages, sheet=sheet.value, sender=sender, demo=demo)
