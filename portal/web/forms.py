"""The base class of forms.  It shows refusals of services beside their field, and restores saved values."""

import contextlib
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from flask import g, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError
from wtforms import IntegerField

from enrollment.ground import constraint_errors
from enrollment.ground.errors import Refused, Stale
from portal.text.formats import refusal
from portal.text.words import word
from portal.web.form_echo import entered_values
from portal.web.restored_form import take_saved_form
from portal.web.unit_of_work import db


class PageForm(FlaskForm):
    """A form that restores values saved when a session expired, and shows refusals of services."""

    def __init__(self, *args: Any, **kwargs: Any):
        restores = request.method == "GET" and not args and "formdata" not in kwargs
        saved = take_saved_form(request.full_path.rstrip("?")) if restores else None
        if saved is not None:
            kwargs["formdata"] = saved
        super().__init__(*args, **kwargs)

    def set_choices(self) -> None:
        """Set the choices of the fields."""

    def entered_values(self) -> list[tuple[str, str]]:
        """The entered values as (label, value), for a person who has to enter them again."""
        self.set_choices()
        return entered_values(self)

    refused: str | None = None
    """The code of the last refusal."""

    def refuse(self, refused: Refused) -> None:
        self.refused = refused.code
        text = refusal(refused)
        field = self._fields.get(refused.field or "")
        if field is None:
            self.form_errors.append(text)
        else:
            field.errors = [*field.errors, text]


class WholeField(IntegerField):
    """An integer field with an error message in the reader's language."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata([value.strip() for value in valuelist])
        except ValueError as fault:
            raise ValueError(_("请填写整数，没有就填 0")) from fault


class ActForm(PageForm):
    """A form without fields except the hidden ones."""


def parse_uuid(text: str | None) -> uuid.UUID | None:
    """The UUID in a form field or a query string; None for any other text."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def coded_choices(group: str, codes: Iterable[str]) -> list[tuple[str, LazyString]]:
    """(code, label) for each code; the label is in the reader's language when the page is rendered."""
    return [(code, LazyString(word, group, code)) for code in codes]


@contextlib.contextmanager
def refusals_in(form: PageForm) -> Iterator[None]:
    """Call a service; show its refusal in the form, and undo what it wrote.

    A violated constraint with a code in `constraint_errors` counts as a refusal.  `Stale` is raised again, because it
    has a page of its own.
    """
    try:
        with db().begin_nested():
            yield
    except Stale:
        g.stale_form = form
        raise
    except Refused as refused:
        form.refuse(refused)
    except IntegrityError as fault:
        violation = constraint_errors.refusal_of(fault)
        if violation is None:
            raise
        form.refuse(violation)
