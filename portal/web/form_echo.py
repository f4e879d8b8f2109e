"""What somebody typed into a form, as a person reads it: the question and the answer, and nothing that is not theirs."""

from collections.abc import Iterator

from flask_babel import gettext as _
from wtforms import BooleanField, FileField, Form, HiddenField, MultipleFileField, PasswordField, SelectField
from wtforms.fields import Field

NOT_SAID = (FileField, HiddenField, MultipleFileField, PasswordField)
"""Tokens, ids and secrets; a file cannot be shown again."""


def readable(form: Form) -> list[tuple[str, str]]:
    """(question, answer) of each answered field.  A code without a word of its own is left out."""
    return [(str(field.label.text), said) for field in form if (said := _said(field))]


def _said(field: Field) -> str:
    if isinstance(field, NOT_SAID):
        return ""
    if isinstance(field, BooleanField):
        return _("是") if field.data else ""
    if isinstance(field, SelectField):
        return next((str(text) for value, text in _choices(field) if str(value) == str(field.data or "")), "")
    return "，".join(str(each) for each in field.raw_data or [] if each)


def _choices(field: SelectField) -> Iterator[tuple]:
    """The choices that were answered with something: an empty value is no answer."""
    return ((value, text) for value, text, *_rest in field.choices or [] if value)
