"""A newcomer to the city who reads English: the same acts as in Chinese, by the English words of the pages."""

import re
from functools import cache

from tests.browser.people.newcomer import Newcomer
from tests.guards.test_writing import texts

WITH_VALUES = {
    "加为第": "Add as wish",
    "以上内容属实": "All of this is true",
    "继续：志愿": "Continue: Wishes",
    "2023年3月12日出生，适龄小班。": "Born on 12 March 2023: fits the Lower class (age 3).",
    "锦江区": "Jinjiang",
    "和户籍一样：锦江区": "Same as the hukou: Jinjiang",
    "和现在住的一样：锦江区": "Same as the home: Jinjiang",
}
"""Texts with a number or a name in them, of which the catalogues have only the frame, and the name of an area."""


@cache
def english() -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts():  # those of the pages come first, those of codes after them
        found.setdefault(text.zh, text.en)
    return found


class EnglishNewcomer(Newcomer):
    """Silent reading of English: 238 words a minute (Brysbaert, 2019)."""

    UNIT, A_MINUTE = "words", 238

    def said(self, text: str) -> str:
        return WITH_VALUES.get(text) or english().get(text, text)

    @staticmethod
    def length(line: str) -> int:
        return len(line.split())

    def comes_in(self) -> None:
        """The first page speaks Chinese; the switch is the first tap."""
        self.opens("/")
        self.follows(re.compile(r"^(English|EN)$"), within=self.page.get_by_role("banner"))
