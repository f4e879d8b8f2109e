"""Words for codes.

Every stage, move, ground, fact, reason, nature, notice and error code has its words in a TOML file of this folder:
`[group]` then `code = {zh = "…", en = "…"}`.  Parameters are in braces: `{n}`.  `{contact}` is filled by itself: whom a
family can ask.
"""

import functools
import tomllib
from pathlib import Path
from typing import Any

from flask import current_app, has_request_context

from portal.text import plurals
from portal.text.languages import spoken

FOLDER = Path(__file__).parent
LANGUAGES = ("zh", "en")


class WordMissing(KeyError):
    """A code has no words."""


@functools.cache
def table() -> dict[str, dict[str, dict[str, str]]]:
    """All groups of all files.  Raises ValueError when two files define the same code of a group."""
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        for group, codes in tomllib.loads(file.read_text("utf-8")).items():
            known = groups.setdefault(group, {})
            twice = known.keys() & codes.keys()
            if twice:
                raise ValueError(f"{file.name}: [{group}] {', '.join(sorted(twice))} stand in another file too")
            known.update(codes)
    return groups


def language() -> str:
    return spoken()


HOTLINE = "hotline"
"""In `app.extensions` the function that gives the current season's telephone, or None."""


def contact(office: str | None = None, *, in_language: str | None = None) -> str:
    """A verb and its object, for the middle of a sentence: the office of an area and the season's telephone, as far as they
    are known; otherwise the education office where the family lives.

    Outside a page, as in a text message, no season is current, and the office is named.
    """
    number = current_app.extensions[HOTLINE]() if has_request_context() else None
    chosen = in_language or language()
    if chosen == "en":
        ask = f"ask the education office of {office}" if office else "ask the education office of your area"
        call = f"call the hotline {number}"
        return f"{ask} or {call}" if office and number else call if number else ask
    ask = f"联系{office}教育局" if office else "联系居住地的区教育局"
    call = f"拨打服务热线 {number}"
    return f"{ask}，或{call}" if office and number else call if number else ask


def word(group: str, code: object, /, *, in_language: str | None = None, **params: Any) -> str:
    """The words of a code in the reader's language.  Raises WordMissing."""
    try:
        spoken_now = in_language or language()
        words = table()[group][str(code)][spoken_now]
    except KeyError as missing:
        raise WordMissing(f"[{group}] {code}") from missing
    if "{contact}" in words:
        params = {"contact": contact(in_language=in_language)} | params
    if params and spoken_now == "en":
        words = plurals.for_counts(words, params)
    return words.format(**params) if params else words
