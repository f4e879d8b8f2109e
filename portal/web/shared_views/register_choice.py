"""The field in which a guardian agrees to each register by itself, or to none; with what each consent says as its hint."""

from typing import Any

from flask_babel import LazyString
from wtforms import SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from enrollment.people.consents import Register
from portal.text import consent_texts
from portal.text.words import language, word


class RegistersField(SelectMultipleField):
    """A checkbox for each register; nothing is ticked for the family."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: LazyString | None = None, **more: Any):
        choices = [(register.value, LazyString(word, "register", register)) for register in Register]
        super().__init__(label, choices=choices, **more)


def register_hints() -> dict[str, str]:
    """What is asked of each register, by its code: the words of its consent."""
    return {register: text.sections[0][1] for register, text in consent_texts.of_registers(language()).items()}


def register_terms() -> dict[Register, tuple[str, str]]:
    """Version and digest of the consent to each register, in the language in which it is shown."""
    return {register: (text.version, text.digest) for register, text in consent_texts.of_registers(language()).items()}
