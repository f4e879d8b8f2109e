"""The default admission year of a page: the current season's, else the calendar year."""

from flask import request

from enrollment.season import calendar
from portal.web.unit_of_work import city_day, clock, db

FIRST, LAST = 2000, 2100


def admission_year() -> int:
    season = calendar.current_season(db(), clock())
    return season.year if season else city_day().year


def asked_year() -> int | None:
    """The `year` of the query string, if it lies between `FIRST` and `LAST`; else None."""
    year = request.args.get("year", 0, int)
    return year if FIRST <= year <= LAST else None
