"""The draw room: freeze, commitment, seed, run, two signatures, publication, and later the replays."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.corrections import request_list
from enrollment.draw import draw_jobs, draw_rooms, duplicate_waivers, replay, requests, runs
from enrollment.draw.seed import declared_forms, part_standings
from enrollment.draw.seed.witness_rows import SeedPart
from enrollment.ground.accounts import Role
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.draw_room import draw_status
from portal.officials.draw_room.draw_forms import FreezeForm, WaiverForm, WitnessForm
from portal.officials.forms import ActForm
from portal.officials.scope import READERS
from portal.officials.years import chosen_season
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/draws", endpoint="draws")
@desk("officials", *READERS)
def draw_list() -> ResponseReturnValue:
    season = chosen_season()
    found = (
        [row for row in rounds.rounds_of_year(db(), season.year) if row.kind in rounds.KINDS_WITH_WISHES]
        if season
        else []
    )
    return render_template(
        "officials/draws.html", season=season, rooms_of_year=[draw_rooms.of_round(db(), r.id) for r in found]
    )


@pages.get("/rounds/<uuid:round_id>/draw")
@desk("officials", *READERS)
def draw_room(round_id: uuid.UUID) -> ResponseReturnValue:
    return room_page(round_id, ActForm())


def room_page(round_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    """The room with a form that was refused, or with fresh ones."""
    room = draw_rooms.of_round(db(), round_id)
    after = room.snapshots[0].number if room.snapshots else 0
    freeze = form if isinstance(form, FreezeForm) else FreezeForm(formdata=None, after=after)
    waiver = form if isinstance(form, WaiverForm) else WaiverForm(formdata=None)
    declared = declared_forms.newest(db(), round_id)
    waiting = room.draw if room.draw and not room.draw.seed and room.step == "seed" else None
    return render_template(
        "officials/draw_room.html",
        room=room,
        form=form,
        freeze=freeze,
        waiver=waiver,
        declared=declared_forms.parse(declared.form) if declared else None,
        standings=part_standings.of_draw(db(), waiting, now=clock()) if waiting else (),
        witness_forms={part: _witness_form(part, form) for part in SeedPart},
        me=actor().account_id,
        after=after,
        draw_status=draw_status,
        steps_of_room=draw_rooms.STEPS,
        signed_people=runs.signers(db(), room.signed) if room.signed else [],
        signed={run.id: len(runs.signed_by(db(), run)) for run in room.runs},
        may_act=actor().is_any(Role.CITY_OFFICIAL),
        corrections_waiting=request_list.that_change_the_list(db(), round_id) if room.step == "freeze" else 0,
    )


def _witness_form(part: SeedPart, form: PageForm) -> WitnessForm:
    prefix = f"{part}_"
    return form if isinstance(form, WitnessForm) and form._prefix == prefix else WitnessForm(None, prefix=prefix)


@pages.get("/rounds/<uuid:round_id>/draw/progress.json")
@desk("officials", *READERS)
def draw_progress(round_id: uuid.UUID) -> ResponseReturnValue:
    """The progress for the page's script while the worker freezes, draws or publishes."""
    return draw_status.progress(draw_jobs.of_round(db(), rounds.get_round(db(), round_id)))


@pages.post("/rounds/<uuid:round_id>/freeze")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def freeze_round(round_id: uuid.UUID) -> ResponseReturnValue:
    form = FreezeForm()
    if form.validate_on_submit():
        with refusals_in(form):
            requests.freeze(
                db(),
                round_id,
                by=actor(),
                now=clock(),
                reason=form.reason.data or "",
                after=form.after.data,
            )
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return room_page(round_id, form)


@pages.post("/rounds/<uuid:round_id>/duplicates")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def waive_duplicates(round_id: uuid.UUID) -> ResponseReturnValue:
    form = WaiverForm()
    if form.validate_on_submit():
        with refusals_in(form):
            people = duplicate_waivers.waive(db(), round_id, form.reason.data or "", by=actor(), now=clock())
            enough = people >= duplicate_waivers.SIGNATURES_NEEDED
            flash(_("两人已签署，可以冻结；理由会公开。") if enough else _("已签署，还需要另一位工作人员。"))
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return room_page(round_id, form)


@pages.post("/rounds/<uuid:round_id>/runs")
@desk("officials", Role.CITY_OFFICIAL)
def start_run(round_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            run = runs.start(db(), round_id, by=actor(), now=clock())
            return redirect(url_for("officials.run_page", run_id=run.id), 303)
    return room_page(round_id, form)


@pages.post("/rounds/<uuid:round_id>/replay")
@desk("officials", Role.CITY_OFFICIAL)
def start_replay(round_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        requests.end_overdue(db(), round_id, by=actor(), now=clock())
        with refusals_in(form):
            requests.start_replay(db(), round_id, by=actor(), now=clock())
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return room_page(round_id, form)


@pages.post("/rounds/<uuid:round_id>/daily-replays")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def approve_daily_replays(round_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            people = replay.approve_standing(db(), round_id, by=actor(), now=clock())
            flash(
                _("每日递补已由两人授权。") if people >= runs.SIGNATURES_NEEDED else _("已签署，还需要另一位工作人员。")
            )
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return room_page(round_id, form)
