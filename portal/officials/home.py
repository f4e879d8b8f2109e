"""What needs this official now, and which dates come next."""

from flask import render_template

from enrollment.figures import agenda
from enrollment.season import calendar, today
from portal.guards import desk
from portal.officials import pages
from portal.officials.rooms import link_to
from portal.officials.scope import area_names, my_areas
from portal.work import actor, clock, db


@pages.get("", strict_slashes=False)
@desk("officials")
def home():
    season = calendar.current(db(), clock())
    areas = [area.code for area in my_areas()]
    waiting = agenda.for_official(db(), season, areas, by=actor(), now=clock()) if season else agenda.Agenda()
    return render_template(
        "officials/home.html",
        season=season,
        agenda=waiting,
        steps=today.steps(season, now=clock()) if season else [],
        at_hand=today.at_hand(season, now=clock()) if season else None,
        area_names=area_names(),
        link_to=link_to,
        is_city=actor().is_any("city_official"),
    )
