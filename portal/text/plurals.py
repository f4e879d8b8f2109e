"""English counts: a translation is written for many, "%(n)s kindergartens", and says "1 kindergarten" where the number is one.

Only the words of a translation are changed, never a value that is put into it.  Templates, Python (`CountedDomain`) and the words
of codes all count with `for_counts`.
"""

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import Domain, get_locale

SINGULARS = {
    "adults": "adult",
    "applications": "application",
    "areas": "area",
    "blocks": "block",
    "boundaries": "boundary",
    "cases": "case",
    "cells": "cell",
    "characters": "character",
    "checks": "check",
    "children": "child",
    "classes": "class",
    "cohorts": "cohort",
    "conflicts": "conflict",
    "days": "day",
    "differences": "difference",
    "digits": "digit",
    "disputes": "dispute",
    "documents": "document",
    "downloads": "download",
    "draws": "draw",
    "entries": "entry",
    "evenings": "evening",
    "exceptions": "exception",
    "facts": "fact",
    "families": "family",
    "faults": "fault",
    "figures": "figure",
    "filters": "filter",
    "groups": "group",
    "guardians": "guardian",
    "hours": "hour",
    "indicators": "indicator",
    "invitations": "invitation",
    "items": "item",
    "kindergartens": "kindergarten",
    "letters": "letter",
    "lines": "line",
    "measures": "measure",
    "megapixels": "megapixel",
    "messages": "message",
    "minutes": "minute",
    "numbers": "number",
    "pages": "page",
    "papers": "paper",
    "parts": "part",
    "people": "person",
    "phases": "phase",
    "places": "place",
    "projects": "project",
    "plans": "plan",
    "points": "point",
    "programmes": "programme",
    "promises": "promise",
    "reserves": "reserve",
    "results": "result",
    "rows": "row",
    "runs": "run",
    "seconds": "second",
    "sets": "set",
    "sheets": "sheet",
    "teachers": "teacher",
    "texts": "text",
    "things": "thing",
    "tickets": "ticket",
    "times": "time",
    "vacancies": "vacancy",
    "variants": "variant",
    "warnings": "warning",
    "wishes": "wish",
    "years": "year",
}
VERBS = {"are": "is", "have": "has", "were": "was", "do": "does"} | {
    verb: f"{verb}s" for verb in ("agree", "differ", "gain", "keep", "look", "show", "stand", "wait")
}
ADJECTIVES = (
    "approved", "bound", "continuing", "dry", "first", "free", "full-time", "more", "more filled", "percentage", "ranked", "reserved",
    "simulated", "working",
)  # fmt: skip
"""What may stand between a number and its noun."""

NUMBER = "%(n)s "

COUNT = re.compile(
    rf"(\b[Tt]here (?:are|were) )?(?:%\((\w+)\)s|\{{(\w+)\}})((?: (?:{'|'.join(ADJECTIVES)}))?) "
    rf"({'|'.join(SINGULARS)})\b( (?:{'|'.join(VERBS)})\b)?"
)
"""A number of a translation, of either kind of catalogue, with its noun and perhaps the verb of the noun."""


class CountedDomain(Domain):
    """The translations of the portal: what a view, a letter or a file says in Python is counted as a template's text is.

    `language` tells which one is spoken now.  Babel is asked once for each text of it.
    """

    def __init__(self, domain: str, language: Callable[[], str]):
        super().__init__(domain=domain)
        self._language = language
        self._known = functools.lru_cache(maxsize=16_384)(self._said)

    def gettext(self, string: str, **variables: Any) -> str:
        language = self._language()
        text = self._known(language, string)
        if not variables:
            return text
        if language == "en":
            text = for_counts(text, variables)
        return text % variables

    def _said(self, _language: str, string: str) -> str:
        """The text in the language that is spoken now."""
        found: str = super().gettext(string)
        return found


def for_counts(text: str, values: Mapping[str, Any]) -> str:
    """The translation with the noun in the singular behind each of `values` that is one."""
    ones = frozenset(name for name in _counted(text) if str(values.get(name)) == "1")
    return _of_one(text, ones) if ones else text


def after_number(text: str, number: object) -> str:
    """A translated text that a page shows after its number, in an element of its own: "place" and not "places" after 1."""
    locale = get_locale()
    if str(number) != "1" or locale is None or locale.language != "en":
        return text
    return for_counts(f"{NUMBER}{text}", {"n": 1}).removeprefix(NUMBER)


@functools.lru_cache(maxsize=16_384)
def _counted(text: str) -> tuple[str, ...]:
    return tuple(each[2] or each[3] for each in COUNT.finditer(text))


@functools.lru_cache(maxsize=1_024)
def _of_one(text: str, ones: frozenset[str]) -> str:
    def said(found: re.Match[str]) -> str:
        there, name, other, adjective, noun, verb = found.groups("")
        if (name or other) not in ones:
            return found[0]
        number = f"%({name})s" if name else f"{{{other}}}"
        there = there.replace("are", "is").replace("were", "was")
        return f"{there}{number}{adjective} {SINGULARS[noun]}{verb and ' ' + VERBS[verb.strip()]}"

    return COUNT.sub(said, text)
