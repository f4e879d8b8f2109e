"""The library of measures: the list, a new one, a change, a withdrawal."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.places.measures import library
from enrollment.places.measures.rows import COMMITTED, Measure, MeasureStage
from portal.officials import pages
from portal.officials.planning import words as planning_words
from portal.officials.planning.forms import MeasureForm
from portal.officials.scope import DECIDERS, READERS, area_names
from portal.web.forms import page_of, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

SEPTEMBER = 9


@pages.get("/planning/measures")
@desk("officials", *READERS)
def measures() -> ResponseReturnValue:
    area, stage = request.args.get("area", ""), request.args.get("stage", "")
    everything = library.all_measures(db())
    here = [each for each in everything if not area or each.area_code == area]
    return render_template(
        "officials/measures.html",
        measures=[each for each in here if not stage or each.stage == stage],
        stages=Counter(each.stage for each in here),
        stage=stage,
        every_stage=MeasureStage,
        opening=_opening(here),
        passed={each.opens for each in here if dt.date(each.opens, SEPTEMBER, 1) <= city_day()},
        number=len(everything),
        areas=area_names(),
        area=area,
        say=planning_words,
        may_change={each.area_code for each in everything if library.may_change(actor(), each.area_code)},
        may_add=actor().is_any(*DECIDERS),
    )


def _opening(here: Sequence[Measure]) -> list[tuple[int, int, int]]:
    """By September: how many projects that are approved or under way open, and the places that they bring, turn or end."""
    years = Counter(each.opens for each in here if each.stage in COMMITTED)
    return [
        (year, number, sum(each.places for each in here if each.stage in COMMITTED and each.opens == year))
        for year, number in sorted(years.items())
    ]


@pages.get("/planning/measures/new")
@desk("officials", *DECIDERS)
def new_measure() -> ResponseReturnValue:
    return _form_page(MeasureForm(data={"earliest_year": city_day().year + 1}))


@pages.post("/planning/measures/new")
@desk("officials", *DECIDERS)
def add_measure() -> ResponseReturnValue:
    form = MeasureForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            made = library.add(db(), form.values(), by=actor(), now=clock())
            flash(_("已加入措施库，编号 %(code)s。", code=made.code))
            return redirect(url_for("officials.measures"), 303)
    return _form_page(form)


@pages.get("/planning/measures/<uuid:measure_id>")
@desk("officials", *DECIDERS)
def measure(measure_id: uuid.UUID) -> ResponseReturnValue:
    return _form_page(MeasureForm.of(_mine_or_404(measure_id)), measure_id)


@pages.post("/planning/measures/<uuid:measure_id>")
@desk("officials", *DECIDERS)
def change_measure(measure_id: uuid.UUID) -> ResponseReturnValue:
    _mine_or_404(measure_id)
    form = MeasureForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            library.change(db(), measure_id, form.values(), version=form.version_number(), by=actor(), now=clock())
            flash(_("已改。算过的方案保留当时的数。"))
            return redirect(url_for("officials.measures"), 303)
    return _form_page(form, measure_id)


@pages.post("/planning/measures/<uuid:measure_id>/withdraw")
@desk("officials", *DECIDERS)
def withdraw_measure(measure_id: uuid.UUID) -> ResponseReturnValue:
    _mine_or_404(measure_id)
    form = MeasureForm()
    with refusals_in(form):
        library.withdraw(db(), measure_id, version=form.version_number(), by=actor(), now=clock())
        flash(_("已从措施库撤下。"))
        return redirect(url_for("officials.measures"), 303)
    return _form_page(form, measure_id)


def _mine_or_404(measure_id: uuid.UUID) -> library.Measure:
    found = library.get(db(), measure_id)
    if found.withdrawn_at is not None or not library.may_change(actor(), found.area_code):
        abort(404)
    return found


def _form_page(form: MeasureForm, measure_id: uuid.UUID | None = None) -> ResponseReturnValue:
    form.set_choices()
    found = library.get(db(), measure_id) if measure_id else None
    return page_of(form, render_template("officials/measure.html", form=form, measure=found))
