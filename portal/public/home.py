"""The first page: what is open now, what comes next, and three things to do today."""

from flask import render_template

from enrollment.places import finder
from enrollment.season import calendar, today
from portal.guards import public
from portal.public import pages
from portal.work import clock, db


@pages.get("/")
@public
def home():
    season = calendar.current(db(), clock())
    return render_template(
        "public/home.html",
        season=season,
        steps=today.steps(season, now=clock()) if season else [],
        at_hand=today.at_hand(season, now=clock()) if season else None,
        draws=today.draws(db(), season.year) if season else [],
        kindergarten_count=finder.search(db(), per_page=1).total,
    )
