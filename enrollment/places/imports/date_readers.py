"""Readers of cells with a year or a date, as spreadsheets and offices write them."""

import datetime as dt
import re
from functools import lru_cache
from typing import Any

from enrollment.places.imports.cell_readers import text
from enrollment.places.imports.faults import CellError
from enrollment.places.imports.files.sheet_parser import FIRST_DAY_OF_1904, DayNumber1904

FIRST_DAY = dt.date(1899, 12, 30)
SERIALS = range(18_264, 73_051)
"""Serial numbers of days from 1950 to 2099: a date whose cell was formatted as a number."""

_date = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?|(\d{4})(\d{2})(\d{2})")
_loose = re.compile(r"\s*([-/.年月])\s*")
_month = re.compile(r"(\d{4})[-/.年](\d{1,2})月?|(\d{4})(0[1-9]|1[0-2])")
_plain_marks = str.maketrans({"号": "日", "、": ".", "。": ".", "\\": "/"})
_in_characters = re.compile(
    r"([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十]{1,3})[日号]?)?"
)
_CHARACTERS = "〇一二三四五六七八九"
_year = re.compile(r"(20\d{2})(?:\s*-\s*20\d{2})?(?:年|学年|学年度|年度)?(?:秋季?)?")


class MonthOnly(dt.date):
    """The first day of a month whose day is not told."""


def _written(cell: Any) -> str | None:
    """The text of a date with the usual marks and digits: `2022、10、1`, `2022年10月1号` and `二〇二二年十月一日` too."""
    value = text(cell)
    if value is None:
        return None
    found = _in_characters.fullmatch("".join(value.split()))
    if found is None:
        return value.translate(_plain_marks)
    digits = "".join(str(_CHARACTERS.index("〇" if each in "○零" else each)) for each in found[1])
    return ".".join([digits, *(str(_below_hundred(part)) for part in found.groups()[1:] if part)])


def _below_hundred(characters: str) -> int:
    """十 → 10, 十二 → 12, 二十一 → 21."""
    tens, ten, ones = characters.rpartition("十")
    if ten:
        return 10 * (_CHARACTERS.index(tens) if tens else 1) + (_CHARACTERS.index(ones) if ones else 0)
    return _CHARACTERS.index(ones) if len(ones) == 1 else 0


def year(cell: Any) -> int | None:
    value = text(cell)
    if value is None:
        return None
    found = _year.fullmatch(value)
    if found is None:
        raise CellError("not_a_year", value=value[:30])
    return int(found.group(1))


def date(cell: Any) -> dt.date | None:
    """A day: a date, `2026-09-01`, `2026.9.1`, `20260901`, or the serial number of a day."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, DayNumber1904) and (day := _day_of_1904(cell)) is not None:
        return day
    return cell if isinstance(cell, dt.date) else _date_in(cell)


def _day_of_1904(number: DayNumber1904) -> dt.date | None:
    """The day of a serial number, if it is one from 1950 to 2099."""
    if not number.is_integer() or int(number) + (FIRST_DAY_OF_1904.date() - FIRST_DAY).days not in SERIALS:
        return None
    return FIRST_DAY_OF_1904.date() + dt.timedelta(days=int(number))


@lru_cache(maxsize=16_384)
def _date_in(cell: Any) -> dt.date | None:
    """A roll of a city has a few thousand dates, each kept once."""
    value = _written(cell)
    if value is None:
        return None
    if value.isdecimal() and len(value) == 5 and int(value) in SERIALS:
        return FIRST_DAY + dt.timedelta(days=int(value))
    found = _date.fullmatch(_loose.sub(r"\1", value))
    if found is None:
        raise CellError("not_a_date", value=value[:30])
    return _day(value, *(int(part) for part in found.groups() if part))


def day_or_month(cell: Any) -> dt.date | None:
    """A day, or a `MonthOnly` for 出生年月 and 入学年月: `2021.10`, `2021年10月`, `202110`.

    A number cell 2021.1 may have been typed as 2021.10, so it is asked for.
    """
    if isinstance(cell, dt.date | DayNumber1904):
        return date(cell)
    return _day_or_month_in(cell)


@lru_cache(maxsize=16_384)
def _day_or_month_in(cell: Any) -> dt.date | None:
    value = _written(cell)
    found = _month.fullmatch(_loose.sub(r"\1", value)) if value is not None else None
    if value is None or found is None:
        return date(cell)
    if isinstance(cell, float) and value.endswith(".1"):
        raise CellError("month_lost_zero", value=value)
    read = _day(value, *(int(part) for part in found.groups() if part), 1)
    return MonthOnly(read.year, read.month, 1)


def _day(value: str, *parts: int) -> dt.date:
    try:
        return dt.date(*parts)
    except ValueError as fault:
        raise CellError("not_a_date", value=value[:30]) from fault
