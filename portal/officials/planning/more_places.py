"""Where more places help most: a question, its answer with the bound, and earlier ones."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import SelectField
from wtforms.validators import InputRequired, NumberRange

from enrollment.ground.accounts import Role
from enrollment.ground.errors import Refused
from enrollment.laboratory.studies import rounds_to_study
from enrollment.planning import seat_searches
from enrollment.planning.seat_rows import FEWEST, MOST
from enrollment.season.round_rows import Round
from portal.officials import pages
from portal.officials.forms import NEEDED, ActForm, OfficialForm
from portal.officials.planning.words import round_name
from portal.officials.scope import READERS, area_names
from portal.text.formats import refusal
from portal.web.forms import PageForm, WholeField, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class MorePlacesForm(OfficialForm):
    round_id = SelectField(_l("用哪个批次的家庭"), validate_choice=False)
    places = WholeField(_l("再加几个学位"), [InputRequired(NEEDED), NumberRange(FEWEST, MOST)], default=90)

    def set_choices(self) -> None:
        self.round_id.choices = [(str(each.id), round_name(each.year, each.name)) for each in rounds_to_study(db())]


@pages.get("/planning/more-places")
@desk("officials", *READERS)
def more_places() -> ResponseReturnValue:
    return _list_page(MorePlacesForm())


@pages.post("/planning/more-places")
@desk("officials", Role.CITY_OFFICIAL)
def ask_more_places() -> ResponseReturnValue:
    form = MorePlacesForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            chosen = parse_uuid(form.round_id.data) or uuid.UUID(int=0)
            made = seat_searches.request(db(), chosen, form.places.data, by=actor(), now=clock())
            return redirect(url_for("officials.more_places_found", search_id=made.id), 303)
    return _list_page(form)


@pages.get("/planning/more-places/<uuid:search_id>")
@desk("officials", *READERS)
def more_places_found(search_id: uuid.UUID) -> ResponseReturnValue:
    return _found_page(search_id, ActForm())


@pages.get("/planning/more-places/<uuid:search_id>/progress.json")
@desk("officials", *READERS)
def more_places_progress(search_id: uuid.UUID) -> ResponseReturnValue:
    """How many places are given, for the page's script."""
    found = seat_searches.get(db(), search_id)
    job = seat_searches.job_of(db(), found)
    done = job.done_units if job else 0
    return {
        "state": "running" if seat_searches.is_running(db(), found) else "done",
        "done": done,
        "of": found.places,
        "step": _step(done, found.places),
    }


@pages.post("/planning/more-places/<uuid:search_id>/stop")
@desk("officials", Role.CITY_OFFICIAL)
def stop_more_places(search_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            stopped = seat_searches.stop(db(), search_id, by=actor(), now=clock())
            flash(_("已停止。") if stopped else _("来不及停止：已经结束了。"))
            return redirect(url_for("officials.more_places_found", search_id=search_id), 303)
    return _found_page(search_id, form)


def _step(done: int, of: int) -> str:
    return _("%(of)s 个学位放好了 %(done)s 个", of=of, done=done)


def _list_page(form: MorePlacesForm) -> ResponseReturnValue:
    form.set_choices()
    found = seat_searches.all_searches(db())
    return render_template(
        "officials/more_places.html",
        form=form,
        searches=found,
        rounds={each.id: each for each in rounds_to_study(db())},
        round_name=round_name,
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


def _found_page(search_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    found = seat_searches.get(db(), search_id)
    job = seat_searches.job_of(db(), found)
    refused = Refused.from_row(job.result) if job else None
    return render_template(
        "officials/more_places_found.html",
        form=form,
        search=found,
        round=db().scalars(select(Round).where(Round.id == found.round_id)).one(),
        round_name=round_name,
        areas=area_names(),
        running=seat_searches.is_running(db(), found),
        job=job,
        step=_step(job.done_units if job else 0, found.places),
        refused=refusal(refused) if refused else "",
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )
