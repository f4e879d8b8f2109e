"""The home page: the current and the next step of the season, and links to the main tasks."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.places import finder
from enrollment.season import calendar, current_step
from portal.public import pages
from portal.web.guards import public
from portal.web.unit_of_work import clock, db


@pages.get("/")
@public
def home() -> ResponseReturnValue:
    season = calendar.current_season(db(), clock())
    steps = current_step.steps(db(), season, now=clock()) if season else []
    return render_template(
        "public/home.html",
        season=season,
        steps=steps,
        at_hand=current_step.current_or_next_step(steps),
        draws=current_step.rounds_with_a_draw(db(), season.year) if season else [],
        kindergarten_count=finder.search(db(), per_page=1).total,
    )
