"""Children without a place: nobody is forgotten."""

from flask import render_template, request

from enrollment.draw import unplaced
from enrollment.ground import audit
from enrollment.season import calendar
from portal.guards import desk
from portal.officials import pages
from portal.officials.scope import READERS, area_names, my_areas
from portal.work import actor, clock, db


@pages.get("/unplaced", endpoint="unplaced")
@desk("officials", *READERS)
def unplaced_children():
    season = calendar.current(db(), clock())
    area = request.args.get("area") or None
    if area not in {each.code for each in my_areas()}:
        area = None
    found = None
    if season:
        page = request.args.get("page", 1, type=int)
        found = unplaced.listing(db(), season.year, by=actor(), area=area, page=page)
        audit.record(db(), "view", "unplaced", season.year, by=actor(), now=clock(), area=area)
    return render_template(
        "officials/unplaced.html",
        found=found,
        area=area,
        area_names=area_names(),
    )
