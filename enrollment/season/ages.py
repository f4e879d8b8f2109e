"""The class level of a child in the intake of a year.

A child enters the lower class when it is three full years old on 31 August, that day included.  The middle and the
upper class are one and two years older, the nursery one year younger.
"""

import datetime as dt

from enrollment.ground.classifications import Level

FULL_YEARS: dict[str, int] = {Level.NURSERY: 2, Level.LOWER: 3, Level.MIDDLE: 4, Level.UPPER: 5}


def born_between(level: str, year: int) -> tuple[dt.date, dt.date]:
    """The first and the last birth date, both inclusive, of a class level in the intake of September `year`."""
    age = FULL_YEARS[level]
    return dt.date(year - age - 1, 9, 1), dt.date(year - age, 8, 31)


def year_for(level: str, born: dt.date) -> int:
    """The intake in which a child of this birth date enters the class level."""
    return born.year + FULL_YEARS[level] + (born.month >= 9)


def level_for(born: dt.date, year: int) -> str | None:
    """The class level for a birth date in the intake of `year`; None when the child is too young or too old for any."""
    for level in FULL_YEARS:
        first, last = born_between(level, year)
        if first <= born <= last:
            return level
    return None
