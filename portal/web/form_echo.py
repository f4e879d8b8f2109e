"""The entered values of a form as readable pairs of label and value, without tokens and secrets."""

from collections.abc import Iterator

from flask_babel import gettext as _
from wtforms import BooleanField, FileField, Form, HiddenField, MultipleFileField, PasswordField, SelectField
from wtforms.fields import Field

NOT_SHOWN = (FileField, HiddenField, MultipleFileField, PasswordField)
"""Tokens, ids and secrets; a file cannot be shown again."""


def entered_values(form: Form) -> list[tuple[str, str]]:
    """(label, value) of each filled field.  A code that is not among the field's choices is left out."""
    return [(str(field.label.text), value) for field in form if (value := _entered_value(field))]


def _entered_value(field: Field) -> str:
    if isinstance(field, NOT_SHOWN):
        return ""
    if isinstance(field, BooleanField):
        return _("是") if field.data else ""
    if isinstance(field, SelectField):
        if len(list(_choices(field))) == 1:
            return ""  # nothing was chosen
        return next((str(text) for value, text in _choices(field) if str(value) == str(field.data or "")), "")
    return "，".join(str(each) for each in field.raw_data or [] if each)


def _choices(field: SelectField) -> Iterator[tuple]:
    """The choices with a value; the empty choice means that nothing is chosen."""
    return ((value, text) for value, text, *_rest in field.choices or [] if value)
