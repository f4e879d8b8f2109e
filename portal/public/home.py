"""The home page: the current and the next step of every season under way, and links to the main tasks."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.announcements import announcements
from enrollment.draw.publication import hours
from enrollment.places import finder
from enrollment.results import published_runs
from enrollment.season import current_step, rounds, seasons
from enrollment.season.round_rows import RoundStage
from portal.public import pages
from portal.text.area_names import area_names
from portal.web.guards import public
from portal.web.page_data.kept_pages import kept
from portal.web.unit_of_work import clock, db

MOST_ANNOUNCEMENTS = 5


def _result_is_opening(year: int) -> bool:
    """Whether the hour of a round has come and the worker opens its result, which takes seconds."""
    waiting = [each for each in rounds.rounds_of_year(db(), year) if each.stage == RoundStage.DRAWN]
    return any(hours.announcement(db(), each, now=clock()).state == "opening" for each in waiting)


@pages.get("/")
@public
@kept()
def home() -> ResponseReturnValue:
    season = seasons.main_season(db(), clock())
    steps = current_step.steps(db(), season, now=clock()) if season else []
    others = [each for each in seasons.announced(db()) if each is not season and not seasons.is_past(each, clock())]
    return render_template(
        "public/home.html",
        season=season,
        steps=steps,
        at_hand=current_step.current_or_next_step(steps),
        others=[
            (each, current_step.current_or_next_step(current_step.steps(db(), each, now=clock()))) for each in others
        ],
        opening=season is not None and _result_is_opening(season.year),
        draws=current_step.rounds_with_a_draw(db(), season.year) if season else [],
        earlier_draws=bool(published_runs.rounds_with_a_public_draw(db())),
        kindergarten_count=finder.number_open(db()),
        told=announcements.published(db(), now=clock())[:MOST_ANNOUNCEMENTS],
        area_names=area_names(db()),
    )
