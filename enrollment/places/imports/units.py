"""Units of numbers, as headings, rows below them, titles and cells tell them: 元/月, (万元), 个班.

A number in another unit than the one that is stored would be a wrong number, so it is asked for.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Unit:
    """The unit of a column.  `wanted` is its word for the clerk; `accepts` are the units, as `unit_in` tells them, of which
    a number is taken as it is.
    """

    wanted: str
    accepts: frozenset[str]

    @property
    def is_money(self) -> bool:
        return "元" in self.wanted

    def refuses(self, told: str | None) -> bool:
        return told is not None and told not in self.accepts


PERIODS = frozenset({"学期", "学年", "季", "年", "期", "周", "日", "天", "次", "月"})
YUAN_A_MONTH = Unit("元/月", frozenset({"元", "元/月", "月"}))
TEN_THOUSAND_YUAN = Unit("万元", frozenset({"万元"}))
TEN_THOUSAND_YUAN_A_YEAR = Unit("万元", frozenset({"万元", "万元/年", "年"}))
PEOPLE = Unit("人", PERIODS | {"人"})
"""A number of births (学年) is one of people: what is counted tells when."""

CLASSES = Unit("班", PERIODS | {"班"})
DWELLINGS = Unit("套", PERIODS | {"套"})
YEARS = Unit("年", frozenset({"年"}))

_SCALE = "亿|千万|百万|十万|万|千|百"
_money = re.compile(
    rf"(?:人民币)?(?P<scale>{_SCALE}|10,?000|10k)?(?:元|yuan|cny|rmb)(?P<rest>(?:[/每·.*,、(]|per|an?|each).*)?"
)
_ten_thousand = re.compile(r"万|10,?000|10k")
_counted = re.compile(
    rf"(?P<scale>{_SCALE})?(?:(?P<人>人|名|位|幼儿|人数)|(?P<班>个?班级?|班数)|(?P<套>套|户)|(?P<所>所))"
)
_months = re.compile(r"(?<!\d)\d{1,2}个?月")
_period = re.compile(r"学期|学年|季|年|期|周|日|天|次|月|term|semester|quarter|year|week|day|month")
_only_period = re.compile(rf"(?:按|每|/|per|a|an|each|生|人|幼儿)*(?:{_period.pattern})度?(?:[/每·.*]|生|人|幼儿)*")
_in_brackets = re.compile(r"[(\[【<](.*?)[)\]】>]")
_in_title = re.compile(r"单位:(.+)")
_ENGLISH = {"month": "月", "term": "学期", "semester": "学期", "quarter": "季", "year": "年", "week": "周", "day": "日"}


@lru_cache(maxsize=4096)
def unit_in(written: str) -> str | None:
    """The unit that a text is: `元/生·月` → 元/月, `名` → 人; None for a text that is no unit, and for 个, which suits all."""
    text = _plain(written)
    if money := _money.fullmatch(text):
        scale = money["scale"] or ""
        amount = f"{'万' if _ten_thousand.fullmatch(scale) else scale}元"
        period = _period_in(money["rest"] or "")
        return f"{amount}/{period}" if period else amount
    if counted := _counted.fullmatch(text):
        return (counted["scale"] or "") + next(word for word in ("人", "班", "套", "所") if counted[word])
    if _ten_thousand.fullmatch(text):
        return "万元"
    return _period_in(text) or None if _only_period.fullmatch(text) else None


def units_of_heading(heading: str) -> Iterator[tuple[str, str]]:
    """(Text, unit) of what stands in the brackets of a heading, or of a cell below it."""
    for written in _in_brackets.findall(unicodedata.normalize("NFKC", heading)):
        told = unit_in(written)
        if told is not None:
            yield written.strip(), told


def money_of_title(title: str) -> Iterator[tuple[str, str]]:
    """(Text, unit) of a line like `单位：万元` above the heading, for money."""
    found = _in_title.search(_plain(title))
    for written in re.split("[、,;]", found[1]) if found else ():
        told = unit_in(written.strip("()"))
        if told is not None and "元" in told:
            yield written, told


def _period_in(text: str) -> str:
    """The first period in a text; ten months are no month."""
    if several := _months.search(text):
        return several[0]
    found = _period.search(text)
    return _ENGLISH.get(found[0], found[0]) if found else ""


def _plain(written: str) -> str:
    return "".join(unicodedata.normalize("NFKC", written).casefold().split())
