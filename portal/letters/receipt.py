"""The receipt of a submission, in the reader's language: what was handed in, when, and its digest."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from enrollment.applications.applications import Application
from enrollment.applications.receipts import Receipt
from enrollment.results.letters import LetterPage
from portal.letters.pages import letter_page


def receipt_page(
    application: Application,
    receipt: Receipt,
    *,
    child: Mapping[str, Any],
    wished: Sequence[str],
    wished_in: str | None = None,
    bound: Sequence[str] = (),
    changed: Sequence[str],
    lines: Sequence[tuple[str, str]] = (),
    registers: str | None = None,
    central: str | None = None,
    has_phone: bool = True,
    closes_at: dt.datetime | None = None,
    demo: bool,
) -> LetterPage:
    """What the receipt says.  `child` is what this version says of the child, `wished` are the kindergartens in order, `wished_in` is the kind of their round where another one was open then, `bound` the children bound to this one, `changed` the differences from the previous version, in words.

    For a submission by a helper, `lines` are all answers, and the letter has a line for the guardian's signature.
    `closes_at` is the end of registration while it is open.  `registers` names those that may be asked; None for a version that does not say it.  `central` is the choice about central placement, in words.  Without `has_phone` it says how the family is reached.
    """
    return letter_page(
        f"receipt-{receipt.number}",
        "receipt",
        receipt=receipt,
        child_name=child["name"],
        level=child["level"],
        year=application.year,
        wished=wished,
        wished_in=wished_in,
        bound=bound,
        changed=changed,
        lines=lines,
        registers=registers,
        central=central,
        has_phone=has_phone,
        closes_at=closes_at,
        demo=demo,
    )
