"""The paper by which a family lets a community helper enter its application: the texts, and where to sign."""

from enrollment.families import consents
from portal import consent_texts
from portal.letters.press import letter


def mandate_letter(year: int, *, helper: str, demo: bool) -> bytes:
    """The PDF, in Chinese.  Raises PressStands."""
    return letter(
        "mandate",
        year=year,
        helper=helper,
        mandate=consent_texts.read("mandate", "zh"),
        child_data=consent_texts.read(consents.CHILD_DATA, "zh"),
        register_check=consent_texts.read(consents.REGISTER_CHECK, "zh"),
        demo=demo,
    )
