"""Texts of many entries in which a word is found at once, with how well it fits.

The texts of a field stand in one string, a line each.  A search looks through the string and visits only the lines that hold
the word, so its work grows with what is found and not with the number of entries.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

_SEPARATORS = dict.fromkeys(map(ord, " \t\r\n'’`·,，、.。-—_/()（）"))


def normalised(text: str) -> str:
    """A text as it is compared: full-width letters are plain ones, without spaces, marks and case; ü and v are u."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_SEPARATORS)
    return plain.replace("ü", "u").replace("v", "u")


class Lines:
    """The lines of one field.  Lines of one owner follow each other."""

    def __init__(self, lines: Iterable[tuple[int, str]]):
        listed = [(owner, "\n" + line) for owner, line in lines if line]
        self.text = "".join(line for _, line in listed) + "\n"
        self._owners = [owner for owner, _ in listed]
        ends = list(accumulate(len(line) for _, line in listed))
        self._starts = [0, *ends][: len(listed)]
        # where the search goes on behind each line: at the first line of the next owner
        self._behind = [len(self.text)] * len(listed)
        for at in range(len(listed) - 2, -1, -1):
            same = self._owners[at] == self._owners[at + 1]
            self._behind[at] = self._behind[at + 1] if same else self._starts[at + 1]

    def owners_of(self, needle: str) -> Iterator[int]:
        """The owner of each text that holds the needle, once; a line begins with a line feed."""
        at = self.text.find(needle)
        while 0 <= at < len(self.text) - 1:
            line = bisect_right(self._starts, at) - 1
            yield self._owners[line]
            at = self.text.find(needle, self._behind[line])


@dataclass(frozen=True)
class Field:
    """One kind of text.  `whole` is the rank of an equal text, `beginning` of one that begins with the word, `inside` of any
    other that holds it; None: not found so.  A smaller rank fits better.
    """

    lines: Lines
    whole: int | None = None
    beginning: int | None = None
    inside: int | None = None

    def needles(self, word: str) -> Iterator[tuple[int, str]]:
        if self.whole is not None:
            yield self.whole, f"\n{word}\n"
        if self.beginning is not None:
            yield self.beginning, f"\n{word}"
        if self.inside is not None:
            yield self.inside, word


class TextIndex:
    """The fields of `size` entries, in which every word of a search is looked for.  An entry is found if it has them all."""

    APART = 100
    """Added to the rank where the words do not stand together."""

    def __init__(self, fields: Iterable[Field], size: int):
        self._fields, self._size = tuple(fields), size

    def search(self, words: str) -> dict[int, int]:
        """Entries with their rank: those with the words joined (pi du = pidu) before those with each word somewhere."""
        found = self._of_word(normalised(words))
        parts = list(dict.fromkeys(part for part in map(normalised, words.split()) if part))
        if len(parts) < 2 or len(found) == self._size:
            return found
        each = [self._of_word(part) for part in parts]
        for entry in set(each[0]).intersection(*each[1:]):
            found.setdefault(entry, self.APART + max(ranks[entry] for ranks in each))
        return found

    def _of_word(self, word: str) -> dict[int, int]:
        found: dict[int, int] = {}
        if not word:
            return found
        wanted = [(rank, needle, field) for field in self._fields for rank, needle in field.needles(word)]
        for rank, needle, field in sorted(wanted, key=lambda each: each[0]):
            if len(found) == self._size:
                break
            for entry in field.lines.owners_of(needle):
                found.setdefault(entry, rank)
        return found
