"""The base of every form: refusals of the domain stand next to their field, and what was typed is never lost."""

import contextlib
import uuid
from collections.abc import Iterable, Iterator

from flask import g, request
from flask_babel import LazyString
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError

from enrollment.ground import constraint_errors
from enrollment.ground.errors import Refused, Stale
from portal.text.formats import refusal
from portal.text.words import word
from portal.web.form_echo import readable
from portal.web.restored_form import kept_for
from portal.web.unit_of_work import db


class PageForm(FlaskForm):
    """A form that shows again what was typed before a session ended, and what a verb refused."""

    def __init__(self, *args, **kwargs):
        kept = kept_for(request.path) if request.method == "GET" and not args and "formdata" not in kwargs else None
        if kept is not None:
            kwargs["formdata"] = kept
        super().__init__(*args, **kwargs)

    def offer(self) -> None:
        """Fill in the choices."""

    def typed(self) -> list[tuple[str, str]]:
        """What was typed, as (question, answer), for whoever has to type it again."""
        self.offer()
        return readable(self)

    refused: str | None = None
    """The code of what a verb refused last."""

    def refuse(self, refused: Refused) -> None:
        self.refused = refused.code
        text = refusal(refused)
        field = self._fields.get(refused.field or "")
        if field is None:
            self.form_errors.append(text)
        else:
            field.errors = [*field.errors, text]


class ActForm(PageForm):
    """A button and nothing else."""


def id_in(text: str | None) -> uuid.UUID | None:
    """The id that a field or an address holds; None for anything else."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def coded_choices(group: str, codes: Iterable[str]) -> list[tuple[str, LazyString]]:
    """The choices of a field, in words of the reader's language when the page is drawn."""
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
