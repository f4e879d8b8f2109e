"""The help page, and the statements on personal information and accessibility that the law requires."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.places.areas import all_areas
from enrollment.season import current_step, seasons
from portal.public import pages
from portal.web.guards import public
from portal.web.page_data.kept_pages import kept
from portal.web.unit_of_work import clock, db


@pages.get("/help")
@public
@kept()
def help_page() -> ResponseReturnValue:
    season = seasons.main_season(db(), clock())
    registering = current_step.registration_now(current_step.steps(db(), season, now=clock())) if season else None
    closes_at = registering.ends_at if registering is not None else None
    return render_template("public/help.html", areas=all_areas(db()), closes_at=closes_at)


@pages.get("/privacy")
@public
@kept()
def privacy() -> ResponseReturnValue:
    return render_template("public/privacy.html")


@pages.get("/accessibility")
@public
@kept()
def accessibility() -> ResponseReturnValue:
    return render_template("public/accessibility.html")
