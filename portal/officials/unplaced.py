"""Central placement: computing the proposals, and reading them all before they are signed."""

import uuid

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from enrollment.draw import runs
from enrollment.draw.central import central_list, central_runs
from enrollment.draw.central.central_proposals import proposals
from enrollment.ground import audit
from enrollment.ground.accounts import Role
from enrollment.ground.errors import NotFound
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.casework import unserved_board
from portal.officials.forms import ActForm
from portal.officials.scope import area_names
from portal.officials.years import chosen_season
from portal.text.numbers import whole_number
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.post("/unplaced/central")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def start_central() -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            run = central_list.start(db(), _year(), by=actor(), now=clock())
            return redirect(url_for("officials.run_page", run_id=run.id), 303)
    return unserved_board.board_page(central=form)


@pages.get("/unplaced/central/<uuid:run_id>")
@desk("officials", Role.CITY_OFFICIAL, Role.AUDITOR)
def central_proposals(run_id: uuid.UUID) -> ResponseReturnValue:
    """Every proposal of a central run: an official reads them all before signing."""
    if not central_runs.is_central(db(), run_id):
        abort(404)
    run = runs.one(db(), run_id)
    names = area_names()
    area, words = request.args.get("area") or None, request.args.get("q", "")[:60]
    page = request.args.get("page", 1, type=whole_number)
    audit.record(db(), "view", "central_proposals", run.id, by=actor(), now=clock(), area=area)
    return render_template(
        "officials/central_proposals.html",
        run=run,
        round=rounds.get_round(db(), run.round_id),
        found=proposals(db(), run_id, words=words, area=area if area in names else None, page=page),
        q=words,
        area=area,
        area_names=names,
    )


def _year() -> int:
    season = chosen_season()
    if season is None:
        raise NotFound
    return season.year
