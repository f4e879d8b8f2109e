"""The receipt of a submission, in Chinese: the wishes, the time, and the digest of the answers."""

from collections.abc import Sequence

from enrollment.applications.applications import Application
from enrollment.applications.receipts import Receipt
from enrollment.ground.city_time import CHENGDU
from portal.letters.pdf_renderer import letter
from portal.text.words import word


def receipt_letter(
    application: Application,
    receipt: Receipt,
    *,
    wished: Sequence[str],
    bound: Sequence[str] = (),
    changed: Sequence[str],
    lines: Sequence[tuple[str, str]] = (),
    demo: bool,
) -> bytes:
    """The PDF.  `wished` are the kindergartens in order, `bound` the children bound to this one, `changed` the differences from the previous version, in words.

    For a submission by a helper, `lines` are all answers, and the letter has a line for the guardian's signature.

    Raises PdfUnavailable.
    """
    return letter(
        "receipt",
        receipt=receipt,
        child_name=application.child.name,
        level=word("level", application.level, in_language="zh"),
        year=application.year,
        at=f"{receipt.submitted_at.astimezone(CHENGDU):%Y-%m-%d %H:%M}",
        wished=wished,
        bound=bound,
        changed=changed,
        lines=lines,
        demo=demo,
    )
