"""The admission year that pages speak of when nobody says one: the present season's, else the calendar's."""

from enrollment.season import calendar
from portal.work import city_day, clock, db


def admission_year() -> int:
    season = calendar.current(db(), clock())
    return season.year if season else city_day().year
