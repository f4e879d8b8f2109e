"""The base class of forms.  It shows refusals of services beside their field, and restores saved values."""

import contextlib
import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from babel.support import NullTranslations, Translations
from flask import flash, g, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString, get_locale
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError
from werkzeug.datastructures import MultiDict
from wtforms import DateField, DateTimeLocalField, IntegerField
from wtforms.i18n import messages_path
from wtforms.widgets import FileInput

from enrollment.ground import constraint_errors
from enrollment.ground.errors import Refused, Stale
from portal.text.formats import refusal
from portal.text.numbers import INTEGER
from portal.text.words import word
from portal.web.form_echo import entered_values
from portal.web.restored_form import saved_form
from portal.web.sessions import current_session
from portal.web.unit_of_work import db


@functools.cache
def _translations(locale: str) -> Translations | NullTranslations:
    """The messages of WTForms itself, read once in a process: Flask-WTF reads the file in each request."""
    return Translations.load(messages_path(), [locale], domain="wtforms")


class PageForm(FlaskForm):
    """A form that restores values saved when a session expired, and shows refusals of services."""

    class Meta:
        csrf = (
            False  # the token is checked once for each request (`portal.web.csrf`), and pages show it without the form
        )

        def get_translations(self, form: FlaskForm) -> Translations | NullTranslations:
            return _translations(str(get_locale()))

    def __init__(self, *args: Any, **kwargs: Any):
        restores = request.method == "GET" and not args and "formdata" not in kwargs
        saved = saved_form(request.full_path.rstrip("?")) if restores else None
        if saved is not None and not self._is_named_in(saved, kwargs.get("prefix", "")):
            saved = None
        self.was_restored = saved is not None
        if saved is not None:
            kwargs["formdata"] = saved
        super().__init__(*args, **kwargs)
        if saved is not None and any(
            isinstance(each.widget, FileInput) and any(saved.getlist(each.name)) for each in self
        ):
            flash(_("选好的照片或文件没有存下来，请重新选。"), "warn")

    def _is_named_in(self, saved: MultiDict, prefix: str) -> bool:
        """Whether the saved fields are those of this form: a page may have several."""
        return any(prefix + name in saved for name, _field in self._unbound_fields)

    def set_choices(self) -> None:
        """Set the choices of the fields."""

    def entered_values(self) -> list[tuple[str, str]]:
        """The entered values as (label, value), for a person who has to enter them again."""
        self.set_choices()
        return entered_values(self)

    was_restored = False
    """Whether the page shows what was typed before its session expired, or before another language was chosen."""

    refused: str | None = None
    """The code of the last refusal."""

    newer: list[tuple[str, str]] | None = None
    """After another page saved first: what is saved now, as (question, answer).  Otherwise None."""

    def take_newer(self) -> bool:
        """Another page saved first: note what is saved now in `newer`, and take its version, so that this form can be sent
        again with what was typed.  False for a form that has to be filled in on a new page."""
        return False

    def refuse(self, refused: Refused) -> None:
        self.refused = refused.code
        text = refusal(refused)
        field = self._fields.get(refused.field or "")
        if field is None:
            self.form_errors.append(text)
        else:
            field.errors = [*field.errors, text]


F = TypeVar("F", bound=PageForm)


def second_form(make: Callable[..., F], *args: Any, **more: Any) -> F:
    """A form beside the main one of a page: with what was saved when the page is opened, empty when the other is posted."""
    return make(*args, **more) if request.method == "GET" else make(*args, formdata=None, **more)


def page_of(form: PageForm | None, shown: str) -> ResponseReturnValue:
    """The rendered page of a form: with status 409 if another page saved first and the form stands beside what is newer."""
    return (shown, 409) if form is not None and form.newer is not None else shown


@contextlib.contextmanager
def refusals_told() -> Iterator[None]:
    """For an act of one button: a refusal stands above the page that comes next, which shows how things are now."""
    form = PageForm(formdata=None)
    with refusals_in(form):
        yield
    for fault in form.form_errors:
        flash(fault, "warn")


class WholeField(IntegerField):
    """An integer field with an error message in the reader's language, also for one that is larger than any column."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata([value.strip() for value in valuelist])
            if abs(self.data or 0) > INTEGER:
                raise ValueError("too large a number")
        except ValueError as fault:
            raise ValueError(_("请填写整数，没有就填 0")) from fault


YEARS = range(1900, 2200)
"""Of a day in a form.  The first and the last day of the calendar have no day before or after, and no moment in another time zone."""


class CivilDate(DateField):
    """A date field with an error message in the reader's language, also for a year that is a slip (0206)."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as fault:
            raise ValueError(_("请写成 2026-05-21 这样的日期。")) from fault
        _check_year(self)


class CivilTime(DateTimeLocalField):
    """A field of a date and a time, like `CivilDate`."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, format="%Y-%m-%dT%H:%M", **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as fault:
            raise ValueError(_("请写成 2026-05-21 09:00 这样的日期和时间")) from fault
        _check_year(self)


def _check_year(field: CivilDate | CivilTime) -> None:
    if field.data is not None and field.data.year not in YEARS:
        field.data = None
        raise ValueError(_("请核对年份，要在 1900 至 2199 之间。"))


class ActForm(PageForm):
    """A form without fields except the hidden ones."""


def parse_uuid(text: str | None) -> uuid.UUID | None:
    """The UUID in a form field or a query string; None for any other text."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def parse_moment(text: str | None) -> dt.datetime | None:
    """The moment, with its time zone, in a form field; None for any other text."""
    try:
        moment = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def coded_choices(group: str, codes: Iterable[str]) -> list[tuple[str, LazyString]]:
    """(code, label) for each code; the label is in the reader's language when the page is rendered."""
    return [(code, LazyString(word, group, code)) for code in codes]


@contextlib.contextmanager
def refusals_in(form: PageForm) -> Iterator[None]:
    """Call a service; show its refusal in the form, and undo what it wrote, with the messages about it.

    A violated constraint with a code in `constraint_errors` counts as a refusal.  After `Stale` a form that can take what
    is newer is shown again; for any other, `Stale` is raised again and has a page of its own.
    """
    try:
        with current_session().messages_only_if_done(), db().begin_nested():
            yield
    except Stale:
        db().expire_all()
        if not form.take_newer():
            g.stale_form = form
            raise
        g.rollback_only = True
    except Refused as refused:
        form.refuse(refused)
    except IntegrityError as fault:
        violation = constraint_errors.refusal_of(fault)
        if violation is None:
            raise
        form.refuse(violation)
