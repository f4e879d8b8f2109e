"""A run: its progress, result, independent check, and the two signatures."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from allocation.checks import CHECKS
from allocation.coverage import Coverage
from enrollment.coverage import shares
from enrollment.coverage.counts import Definition
from enrollment.draw import draw_jobs, requests, runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground.accounts import Account, Role
from enrollment.ground.classifications import Nature
from enrollment.ground.jobs import Job
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.draw_room import draw_status
from portal.officials.draw_room.draw_forms import SetAsideForm
from portal.officials.forms import ActForm
from portal.officials.scope import READERS, area_names
from portal.text.words import word
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db


@pages.get("/draws/runs/<uuid:run_id>")
@desk("officials", *READERS)
def run_page(run_id: uuid.UUID) -> ResponseReturnValue:
    return _run_page(run_id, ActForm())


def _run_page(run_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    run = runs.one(db(), run_id)
    round_ = rounds.get_round(db(), run.round_id)
    doing = draw_jobs.of_round(db(), round_)
    signatures = runs.signed_by(db(), run)
    return render_template(
        "officials/run.html",
        run=run,
        round=round_,
        publishing=doing if doing and doing.run_id == run.id and run.state == RunState.CHECKED else None,
        draw_status=draw_status,
        signatures_needed=runs.SIGNATURES_NEEDED,
        job=db().get(Job, run.job_id) if run.job_id else None,
        form=form,
        aside=form if isinstance(form, SetAsideForm) else SetAsideForm(formdata=None),
        signatures=[(db().get_one(Account, one.account_id).name, one.signed_at) for one in signatures],
        signed_by_me=any(one.account_id == actor().account_id for one in signatures),
        same=[
            other for other in runs.of_round(db(), run.round_id) if other.digest == run.digest and other.id != run.id
        ],
        replaced=db().get_one(Snapshot, run.snapshot_id).replaced_at is not None,
        checks=CHECKS,
        shares=_shares(run),
        area_names=area_names(),
        may_act=actor().is_any(Role.CITY_OFFICIAL),
    )


def _shares(run: Run) -> tuple[Coverage, Coverage] | None:
    """The city's coverage today and after this run's children have arrived; None for replays and unfinished runs."""
    if not run.summary or run.replays or run.state not in (RunState.CHECKED, RunState.PUBLISHED):
        return None
    on = city_day()
    city = shares.city_shares(db(), Definition(on), year=rounds.get_round(db(), run.round_id).year).city
    if run.state == RunState.PUBLISHED:
        return city.now, city.after
    given = run.summary["by_nature"]
    return city.now, city.after + Coverage(sum(given.values()), given[Nature.PUBLIC], given[Nature.INCLUSIVE])


@pages.get("/draws/runs/<uuid:run_id>/progress.json")
@desk("officials", *READERS)
def run_progress(run_id: uuid.UUID) -> ResponseReturnValue:
    """The progress for the page's script while the engine runs."""
    run = runs.one(db(), run_id)
    job = db().get(Job, run.job_id) if run.job_id else None
    return {
        "state": run.state,
        "done": job.done_units if job else 0,
        "of": job.all_units if job else 0,
        "step": word("run_step", job.step) if job and job.step else word("run_state", run.state),
    }


@pages.post("/draws/runs/<uuid:run_id>/sign")
@desk("officials", Role.CITY_OFFICIAL)
def sign_run(run_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            if requests.sign(db(), run_id, by=actor(), now=clock()) < runs.SIGNATURES_NEEDED:
                flash(_("已签署，还需要另一位工作人员签署才会公布。"))
            return redirect(url_for("officials.run_page", run_id=run_id), 303)
    return _run_page(run_id, form)


@pages.post("/draws/runs/<uuid:run_id>/publish")
@desk("officials", Role.CITY_OFFICIAL)
def publish_run_again(run_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            requests.publish_again(db(), run_id, by=actor(), now=clock())
            return redirect(url_for("officials.run_page", run_id=run_id), 303)
    return _run_page(run_id, form)


@pages.post("/draws/runs/<uuid:run_id>/set-aside")
@desk("officials", Role.CITY_OFFICIAL)
def set_run_aside(run_id: uuid.UUID) -> ResponseReturnValue:
    form = SetAsideForm()
    if form.validate_on_submit():
        with refusals_in(form):
            run = runs.set_aside(db(), run_id, reason=form.reason.data or "", by=actor(), now=clock())
            flash(_("这次派位已搁置，仍然保留备查。"))
            return redirect(url_for("officials.draw_room", round_id=run.round_id), 303)
    return _run_page(run_id, form)
