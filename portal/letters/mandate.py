"""The mandate form that lets a community helper enter a family's application, with lines for the signature."""

from enrollment.people import consents
from portal.letters.pdf_renderer import letter
from portal.text import consent_texts


def mandate_letter(year: int, *, helper: str, demo: bool) -> bytes:
    """The PDF, in Chinese.  Raises PdfUnavailable."""
    return letter(
        "mandate",
        year=year,
        helper=helper,
        mandate=consent_texts.read("mandate", "zh"),
        child_data=consent_texts.read(consents.CHILD_DATA, "zh"),
        register_check=consent_texts.read(consents.REGISTER_CHECK, "zh"),
        demo=demo,
    )
