"""English counts: a translation is written for many, "%(n)s kindergartens", and says "1 kindergarten" where the number is one.

Only the words of a translation are changed, never a value that is put into it.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any

SINGULARS = {
    "applications": "application",
    "areas": "area",
    "cases": "case",
    "characters": "character",
    "checks": "check",
    "children": "child",
    "classes": "class",
    "days": "day",
    "differences": "difference",
    "documents": "document",
    "draws": "draw",
    "entries": "entry",
    "evenings": "evening",
    "exceptions": "exception",
    "families": "family",
    "faults": "fault",
    "figures": "figure",
    "hours": "hour",
    "kindergartens": "kindergarten",
    "letters": "letter",
    "measures": "measure",
    "minutes": "minute",
    "pages": "page",
    "people": "person",
    "places": "place",
    "points": "point",
    "programmes": "programme",
    "promises": "promise",
    "rows": "row",
    "seconds": "second",
    "things": "thing",
    "tickets": "ticket",
    "times": "time",
    "vacancies": "vacancy",
    "variants": "variant",
    "wishes": "wish",
    "years": "year",
}
VERBS = {"are": "is", "have": "has", "were": "was", "do": "does"} | {
    verb: f"{verb}s" for verb in ("agree", "differ", "gain", "keep", "stand", "wait")
}

COUNT = re.compile(
    rf"(?:%\((\w+)\)s|\{{(\w+)\}})( (?:free|more|working))? ({'|'.join(SINGULARS)})\b( (?:{'|'.join(VERBS)})\b)?"
)
"""A number of a translation, of either kind of catalogue, with its noun and perhaps the verb of the noun."""


def for_counts(text: str, values: Mapping[str, Any]) -> str:
    """The translation with the noun in the singular behind each of `values` that is one."""
    ones = frozenset(name for name in _counted(text) if str(values.get(name)) == "1")
    return _of_one(text, ones) if ones else text


@functools.lru_cache(maxsize=16_384)
def _counted(text: str) -> tuple[str, ...]:
    return tuple(each[1] or each[2] for each in COUNT.finditer(text))


@functools.lru_cache(maxsize=1_024)
def _of_one(text: str, ones: frozenset[str]) -> str:
    def said(found: re.Match[str]) -> str:
        if (found[1] or found[2]) not in ones:
            return found[0]
        number = f"%({found[1]})s" if found[1] else f"{{{found[2]}}}"
        verb = f" {VERBS[found[5].strip()]}" if found[5] else ""
        return f"{number}{found[3] or ''} {SINGULARS[found[4]]}{verb}"

    return COUNT.sub(said, text)
