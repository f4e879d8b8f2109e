"""Words for codes.

Every stage, move, ground, fact, reason, nature, notice and error code has its words in a TOML file of this folder:
`[group]` then `code = {zh = "…", en = "…"}`.  Parameters are in braces: `{n}`.
"""

import functools
import tomllib
from pathlib import Path
from typing import Any

from flask_babel import get_locale

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
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def word(group: str, code: object, /, *, in_language: str | None = None, **params: Any) -> str:
    """The words of a code in the reader's language.  Raises WordMissing."""
    try:
        words = table()[group][str(code)][in_language or language()]
    except KeyError as missing:
        raise WordMissing(f"[{group}] {code}") from missing
    return words.format(**params) if params else words
