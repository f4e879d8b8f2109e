"""Suggested dates for the form of a new season."""

import datetime as dt

from enrollment.ground.city_time import CHENGDU
from enrollment.season import holidays
from enrollment.season.calendar import STEPS, Season

USUAL = {
    "announcement": ("05-06T09:00", "05-15T18:00"),
    "registration": ("05-21T09:00", "05-28T18:00"),
    "review": ("05-28T18:00", "06-02T18:00"),
    "draw": ("06-04T09:00", "06-04T18:00"),
    "result": ("06-05T09:00", "06-30T18:00"),
    "confirmation": ("06-05T09:00", "06-09T18:00"),
    "supplementary": ("06-15T09:00", "06-30T18:00"),
    "arrival": ("08-20T09:00", "09-01T18:00"),
}


def next_year(last: Season | None, now: dt.datetime) -> int:
    """The year after the last season; without a season, the year of the next autumn intake."""
    if last is not None:
        return last.year + 1
    here = now.astimezone(CHENGDU)
    return here.year + (here.month >= 9)


def as_form(year: int) -> dict:
    """The data of a `SeasonForm`: the usual dates, moved to the next working day where they fall on a day off."""
    data: dict = {"year": year}
    days = holidays.of_file(year)
    for step in STEPS:
        for name, written in zip(("begins", "ends"), USUAL[step], strict=True):
            moment = dt.datetime.fromisoformat(f"{year}-{written}").replace(tzinfo=CHENGDU)
            data[f"{step}_{name}"] = dt.datetime.combine(days.next_working_day(moment.date()), moment.timetz())
    return data
