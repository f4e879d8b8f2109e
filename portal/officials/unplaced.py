"""Children without a place, and central placement."""

import uuid

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from enrollment.draw import central_placement, runs, unplaced
from enrollment.ground import audit
from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.forms import ActForm
from portal.officials.scope import READERS, area_names, my_areas
from portal.officials.years import chosen_season
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/unplaced", endpoint="unplaced")
@desk("officials", *READERS)
def unplaced_children() -> ResponseReturnValue:
    return _page(ActForm())


def _page(form: PageForm) -> ResponseReturnValue:
    season = chosen_season()
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
        form=form,
        run=central_placement.newest_run(db(), season.year) if season else None,
        may_act=actor().is_any(Role.CITY_OFFICIAL),
        area_names=area_names(),
    )


@pages.post("/unplaced/central")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def start_central() -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            run = central_placement.start(db(), _year(), by=actor(), now=clock())
            return redirect(url_for("officials.run_page", run_id=run.id), 303)
    return _page(form)


@pages.get("/unplaced/central/<uuid:run_id>")
@desk("officials", Role.CITY_OFFICIAL, Role.AUDITOR)
def central_proposals(run_id: uuid.UUID) -> ResponseReturnValue:
    """Every proposal of a central run: an official reads them all before signing."""
    if not central_placement.is_central(db(), run_id):
        abort(404)
    run = runs.one(db(), run_id)
    names = area_names()
    area, words = request.args.get("area") or None, request.args.get("q", "")[:60]
    page = request.args.get("page", 1, type=int)
    audit.record(db(), "view", "central_proposals", run.id, by=actor(), now=clock(), area=area)
    return render_template(
        "officials/central_proposals.html",
        run=run,
        round=rounds.get_round(db(), run.round_id),
        found=central_placement.proposals(db(), run_id, words=words, area=area if area in names else None, page=page),
        q=words,
        area=area,
        area_names=names,
    )


def _year() -> int:
    season = chosen_season()
    if season is None:
        raise NotFound
    return season.year
