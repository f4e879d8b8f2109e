"""The page of the season: the river of its children, five numbers, deadlines, and what is ready in which area."""

import datetime as dt

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from enrollment.offers import tally
from enrollment.places import programmes
from enrollment.reports.season_desk import progress, readiness, river
from enrollment.reports.season_desk.readiness import Check
from enrollment.review import cases
from enrollment.season import calendar, current_step, holidays, rounds
from portal.officials import pages
from portal.officials.scope import READERS, area_name, my_area_or_404, my_areas
from portal.officials.years import chosen_season
from portal.text.numbers import whole_number
from portal.web.guards import desk
from portal.web.page_data.page_reads import attach_catalogue
from portal.web.unit_of_work import actor, clock, db

SOON = dt.timedelta(hours=48)
SHOWN_CASES = 4


@pages.get("/season/river", endpoint="season_river")
@desk("officials", *READERS)
def season_river() -> ResponseReturnValue:
    attach_catalogue()
    season = chosen_season()
    if season is None:
        raise NotFound
    everywhere = actor().is_any(Role.CITY_OFFICIAL, Role.AUDITOR)
    mine = my_areas()
    areas = [area.code for area in mine]
    counted = tally.read(db(), (season.year - 1, season.year), None if everywhere else areas)
    found = rounds.rounds_of_year(db(), season.year)
    places = programmes.approved_places(db(), season.year, areas)
    numbers = river.numbers(counted, season.year, found, places.places)
    steps = current_step.steps_of(season, found, now=clock())
    items = readiness.of_season(db(), season.year, found, counted, areas)
    days = holidays.of_year(db(), season.year)
    review = calendar.spans(season).get("review")
    at = progress.pace(review, days, clock()) if review else None
    by_check = {each.check: each for each in items}
    decides = actor().is_any(Role.CITY_OFFICIAL, Role.AREA_OFFICIAL)
    filed = cases.listing(db(), by=actor(), per_page=SHOWN_CASES) if decides else None
    return render_template(
        "officials/season_river.html",
        season=season,
        steps=steps,
        at_hand=current_step.current_or_next_step(steps),
        rounds=found,
        numbers=numbers,
        last_year=river.numbers(counted, season.year - 1, (), 0),
        places=places,
        drawn=river.of_season(steps, numbers, clock()),
        size=river,
        items=items,
        with_rows=readiness.OF_ROWS,
        review=progress.slowest_first(by_check[Check.REVIEW].areas, at) if at else [],
        pace=at,
        cases=filed,
        due_soon=cases.count_due(db(), clock() + SOON, by=actor()) if filed else 0,
        area_names={area.code: area_name(area) for area in mine},
        may_change=actor().is_any(Role.CITY_OFFICIAL),
        is_city=everywhere,
    )


@pages.get("/season/readiness/<check>", endpoint="season_open_rows")
@desk("officials", *READERS)
def season_open_rows(check: str) -> ResponseReturnValue:
    """The kindergartens behind a number, of all areas that this official sees or of one."""
    attach_catalogue()
    season = chosen_season()
    if season is None or check not in readiness.OF_ROWS:
        abort(404)
    asked = request.args.get("area", "")
    areas = [my_area_or_404(asked).code] if asked else [area.code for area in my_areas()]
    page = request.args.get("page", 1, type=whole_number)
    return render_template(
        "officials/season_open_rows.html",
        season=season,
        check=Check(check),
        area=asked,
        found=readiness.open_rows(db(), season.year, Check(check), areas, page=page),
        area_names={area.code: area_name(area) for area in my_areas()},
    )
