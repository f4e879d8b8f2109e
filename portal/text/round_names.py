"""Names of rounds in the reader's language.  The city writes them in Chinese alone; English pages say the kind of the round."""

import re

from portal.text.words import language, table, word

CHINESE = re.compile(r"[\u4e00-\u9fff]")

SAYS_NOTHING_MORE = re.compile(r"\d{4}\s*年?|秋季|春季|招生|登记|批次|\s")
"""What a name has beside the kind, and what the pages say themselves."""

IN_BRACKETS = re.compile(r"[（(]([^（()）]+)[）)]$")


def round_name(name: str, kind: str | None = None) -> str:
    """The name as it is stored; in English the kind, with the class level in brackets: `Supplementary round · Lower class (age 3)`.

    A name that says more than that stands beside the kind, as one year may have several rounds of a kind.  Without `kind` the
    name has to tell it.
    """
    if language() != "en" or CHINESE.search(name) is None:
        return name
    brackets = IN_BRACKETS.search(name)
    told = _code("round_kind", name[: brackets.start()] if brackets else name)
    level = _code("level", brackets[1]) if brackets else None
    if told is None or kind not in (None, told) or (brackets and level is None):
        return f"{word('round_kind', kind)} · {name}" if kind is not None else name
    return f"{word('round_kind', told)} · {word('level', level)}" if level else word("round_kind", told)


def _code(group: str, text: str) -> str | None:
    """The code whose Chinese words say this and nothing more."""
    plain = SAYS_NOTHING_MORE.sub("", text)
    return next((code for code, said in table()[group].items() if SAYS_NOTHING_MORE.sub("", said["zh"]) == plain), None)
