"""The officials' home page: tasks and the next dates."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.ground.accounts import Role
from enrollment.reports import worklist
from enrollment.season import current_step
from portal.officials import pages
from portal.officials.navigation import link_to
from portal.officials.scope import area_names, my_areas
from portal.officials.years import chosen_season
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("", strict_slashes=False)
@desk("officials")
def home() -> ResponseReturnValue:
    season = chosen_season()
    steps = current_step.steps(db(), season, now=clock()) if season else []
    areas = [area.code for area in my_areas()]
    waiting = (
        worklist.official_worklist(db(), season, areas, by=actor(), now=clock()) if season else worklist.Worklist()
    )
    return render_template(
        "officials/home.html",
        season=season,
        agenda=waiting,
        steps=steps,
        at_hand=current_step.current_or_next_step(steps),
        area_names=area_names(),
        link_to=link_to,
        is_city=actor().is_any(Role.CITY_OFFICIAL),
    )
