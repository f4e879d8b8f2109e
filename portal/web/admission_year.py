"""The admission year that pages speak of when nobody says one: the present season's, else the calendar's."""

from flask import request

from enrollment.season import calendar
from portal.web.unit_of_work import city_day, clock, db

FIRST, LAST = 2000, 2100


def admission_year() -> int:
    season = calendar.current(db(), clock())
    return season.year if season else city_day().year


def asked_year() -> int | None:
    """The year that the address names, where it is one that a city can have; anything else counts as not asked."""
    year = request.args.get("year", 0, int)
    return year if FIRST <= year <= LAST else None
