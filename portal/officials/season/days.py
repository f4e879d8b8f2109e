"""Days off and working weekends of a year, which officials correct when the State Council publishes its arrangement."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from enrollment.season import holidays
from portal.officials import pages
from portal.officials.forms import DayForm
from portal.officials.scope import READERS
from portal.officials.years import chosen_season
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/season/days")
@desk("officials", *READERS)
def season_days() -> ResponseReturnValue:
    return _days_page(DayForm())


def _days_page(form: DayForm) -> ResponseReturnValue:
    season = chosen_season()
    if season is None:
        raise NotFound
    return render_template(
        "officials/season_days.html",
        form=form,
        season=season,
        days=holidays.days_of(db(), season.year),
        provisional=holidays.is_provisional(season.year),
        weekday=lambda day: format_date(day, "EEEE"),
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


@pages.post("/season/days")
@desk("officials", Role.CITY_OFFICIAL)
def correct_day() -> ResponseReturnValue:
    season, form = chosen_season(), DayForm()
    if season is None:
        raise NotFound
    if form.is_valid():
        with refusals_in(form):
            holidays.correct(
                db(), season.year, form.day.data, form.kind.data, form.name.data or "", by=actor(), now=clock()
            )
            flash(_("已更正。请再看一遍日程和批次有没有提醒。"))
            return redirect(url_for("officials.season_days"), 303)
    return _days_page(form)
