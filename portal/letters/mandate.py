"""The mandate form that lets a community helper enter a family's application, with lines for the signature."""

from enrollment.people import consents
from portal.letters.pdf_renderer import letter
from portal.text import consent_texts
from portal.text.words import language


def mandate_letter(year: int, *, helper: str, demo: bool) -> bytes:
    """The PDF.  What is signed is the Chinese text; for a reader of English a translation follows on a page of its own.

    Raises PdfUnavailable.
    """
    kinds = ("mandate", consents.CHILD_DATA, consents.REGISTER_CHECK)
    return letter(
        "mandate",
        translated=[consent_texts.read(kind, "en") for kind in kinds] if language() == "en" else (),
        year=year,
        helper=helper,
        mandate=consent_texts.read("mandate", "zh"),
        child_data=consent_texts.read(consents.CHILD_DATA, "zh"),
        register_check=consent_texts.read(consents.REGISTER_CHECK, "zh"),
        demo=demo,
    )
