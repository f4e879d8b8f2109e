"""Characters of a letter that the common font lacks, and a TrueType font made of them."""

import functools
import unicodedata
from collections.abc import Iterable

from fontTools.ttLib import TTFont

from portal.letters.fonts import COMMON, SANS, WHOLE, outlines

INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp", "Mn"}
"""Unicode categories that need no glyph of their own."""


@functools.cache
def _common() -> frozenset[int]:
    with TTFont(COMMON, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.cache
def _sources() -> tuple[TTFont, ...]:
    """Open for the whole life of the process: reading the tables takes 60 ms, a glyph then less than one."""
    return tuple(TTFont(path, lazy=True) for path in (WHOLE, SANS))


def beyond_common(text: str) -> list[str]:
    """The visible characters of a text that the common font lacks, each once, in order of their code points."""
    rare = (each for each in sorted(set(text)) if ord(each) not in _common())
    return [each for each in rare if unicodedata.category(each) not in INVISIBLE]


def missing(characters: Iterable[str]) -> list[str]:
    """Those that no font here can draw."""
    return [each for each in characters if not any(ord(each) in font.getBestCmap() for font in _sources())]


def fonts_of(characters: Iterable[str]) -> list[bytes]:
    """TrueType fonts that together draw these characters, serifs first; at most one for each source."""
    waiting, made = set(map(ord, characters)), []
    for font in _sources():
        here = waiting & font.getBestCmap().keys()
        if here:
            made.append(outlines.truetype(font, here, "Letter Rare"))
        waiting -= here
    return made
