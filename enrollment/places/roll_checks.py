"""What is possible on the roll: names, birth dates against levels, days of entry, school years, names of classes."""

import datetime as dt
import re
import unicodedata

from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import NEXT_ROLL_FROM, today
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.ground.identity import birth_date_in
from enrollment.places import scope
from enrollment.places.areas import CLASS_NORM
from enrollment.places.roll_rows import school_year_of

AGES: dict[str, tuple[int, int]] = {
    Level.NURSERY: (1, 4),
    Level.LOWER: (2, 5),
    Level.MIDDLE: (3, 6),
    Level.UPPER: (4, 8),
    Level.MIXED: (1, 8),
}
"""Years from the birth year to the school year that a level allows, exceptions included."""

YEARS_IN_A_KINDERGARTEN = 5

NORM_OF_MIXED = 30

NO_NAMES = frozenset(
    [
        "无名",
        "无名氏",
        "未命名",
        "未取名",
        "未知",
        "不详",
        "待定",
        "待补",
        "测试",
        "某某",
        "某某某",
        "宝宝",
        "小宝",
        "大宝",
        "姓名",
        "幼儿姓名",
        "test",
        "xxx",
        "unknown",
        "noname",
        "baby",
    ]
)
_blanks = re.compile(r"\s+")
_of_chinese = re.compile(r"(?<=[㐀-鿿\W]) (?=[㐀-鿿\W])|(?<=[㐀-鿿]) | (?=[㐀-鿿])")


def norm_of(level: str) -> int:
    """How many children a class of this level may have."""
    return CLASS_NORM.get(level, NORM_OF_MIXED)


def tidy_class_name(name: str) -> str:
    """The form in which a class's name is stored: `小 一班` is `小一班`; words of other letters keep one space."""
    plain = _blanks.sub(" ", unicodedata.normalize("NFKC", name)).strip()
    tidy = _of_chinese.sub("", plain)
    if not tidy:
        raise Refused("class_name_missing", field="class_name")
    return tidy


def class_name_key(name: str) -> str:
    """What the database compares: two names with the same key are one class."""
    return _blanks.sub("", name).lower()


def check_person_name(name: str) -> str:
    """The name without outer blanks.  Refuses `no_name` for a placeholder, and for a text without two letters."""
    plain = _blanks.sub(" ", unicodedata.normalize("NFKC", name)).strip()
    letters = [character for character in plain if character.isalpha()]
    if len(letters) < 2 or plain.replace(" ", "").lower() in NO_NAMES:
        raise Refused("no_name", field="name")
    return plain


def birth_date_of(born: dt.date | None, id_number: str | None) -> dt.date | None:
    """The birth date, also from an eighteen-digit number.  Refuses `birthday_contradicts_number`."""
    if id_number is None or not re.fullmatch(r"\d{17}[\dX]", id_number):
        return born
    try:
        carried = birth_date_in(id_number)
    except ValueError as fault:
        raise Refused("id_birth_date", field="id_number") from fault
    if born is not None and born != carried:
        raise Refused("birthday_contradicts_number", field="born", carried=carried.isoformat())
    return carried


def check_age(born: dt.date | None, level: str, school_year: int, field: str = "born") -> None:
    """Refuses `age_does_not_fit` with the birth years that the level allows."""
    youngest, oldest = AGES[level]
    if born is not None and not youngest <= school_year - born.year <= oldest:
        years = {"first": school_year - oldest, "last": school_year - youngest}
        raise Refused("age_does_not_fit", field=field, born=born.isoformat(), year=school_year, **years)


def check_entry(entered_on: dt.date, born: dt.date | None, school_year: int, *, now: dt.datetime) -> None:
    """Refuses `entered_impossible`: before the child was born or any child of that class could enter, or in the future."""
    first = dt.date(school_year - YEARS_IN_A_KINDERGARTEN + 1, 9, 1)
    if born is not None:
        first = max(first, born)
    last = max(today(now), dt.date(school_year, 9, 1))
    if not first <= entered_on <= last:
        raise Refused("entered_impossible", field="entered_on", first=first.isoformat(), last=last.isoformat())


def may_change(school_year: int, *, by: Actor, now: dt.datetime) -> bool:
    """People change the roll of this school year, and from June that of the next."""
    day = today(now)
    current = school_year_of(day)
    following = current + 1 if (day.month, day.day) >= NEXT_ROLL_FROM and day.month < 9 else current
    return scope.is_system(by) or school_year in (current, following)


def check_school_year(school_year: int, *, by: Actor, now: dt.datetime) -> None:
    """Refuses `school_year_is_closed`."""
    if not may_change(school_year, by=by, now=now):
        raise Refused("school_year_is_closed", year=school_year)
