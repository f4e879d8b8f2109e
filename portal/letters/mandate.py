"""The mandate form that lets a community helper enter a family's application, with lines for the signature."""

from enrollment.people import consents
from enrollment.results.letters import LetterPage
from portal.letters.pages import letter_page
from portal.text import consent_texts
from portal.text.words import language


def mandate_letter(year: int, *, helper: str, demo: bool) -> LetterPage:
    """What is signed is the Chinese text; for a reader of English a translation follows on a page of its own."""
    kinds = ("mandate", consents.CHILD_DATA, consent_texts.REGISTERS, *consents.REGISTER_OF_KIND)
    return letter_page(
        f"mandate-{year}",
        "mandate",
        translated=[consent_texts.read(kind, "en") for kind in kinds] if language() == "en" else (),
        year=year,
        helper=helper,
        mandate=consent_texts.read("mandate", "zh"),
        child_data=consent_texts.read(consents.CHILD_DATA, "zh"),
        register_check=consent_texts.read(consent_texts.REGISTERS, "zh"),
        registers=consent_texts.of_registers("zh").values(),
        demo=demo,
    )
