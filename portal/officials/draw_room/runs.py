"""A run: its progress, result, independent check, and the two signatures."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from allocation.checks import CHECKS
from allocation.checks.central import CENTRAL_CHECKS
from allocation.coverage import Coverage
from enrollment.coverage import run_intake, shares
from enrollment.coverage.indicator import Definition
from enrollment.draw import draw_jobs, requests, runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.publication import hours
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground.accounts import Role
from enrollment.ground.jobs import Job
from enrollment.results import letters, run_comparison, run_record, run_signing
from enrollment.results.letters import Subject
from enrollment.results.run_comparison import Comparison
from enrollment.season import rounds
from enrollment.season.round_rows import RoundKind
from portal.letters.draw_record import draw_record
from portal.letters.preparing import pdf_file, waiting_page
from portal.officials import pages
from portal.officials.draw_room import differences, draw_status
from portal.officials.draw_room.draw_forms import SetAsideForm, SignForm
from portal.officials.forms import ActForm
from portal.officials.scope import READERS, area_names
from portal.text.words import table, word
from portal.web.forms import PageForm, refusals_in, second_form
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db, services


@pages.get("/draws/runs/<uuid:run_id>")
@desk("officials", *READERS)
def run_page(run_id: uuid.UUID) -> ResponseReturnValue:
    return _run_page(run_id, ActForm(formdata=None))


def _run_page(run_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    run = runs.one(db(), run_id)
    round_ = rounds.get_round(db(), run.round_id)
    doing = draw_jobs.of_round(db(), round_)
    compared = _compared(run)
    notes = runs.notes(db(), run)
    announced = hours.hour_of(db(), round_)
    signing = (
        form
        if isinstance(form, SignForm)
        else second_form(SignForm, compared, sentences=differences.sentences(run, compared), is_explained=bool(notes))
    )
    signing.announced.data = hours.as_text(announced)
    return render_template(
        "officials/run.html",
        run=run,
        round=round_,
        publishing=doing if doing and doing.run_id == run.id and run.state == RunState.SIGNED else None,
        announced=announced,
        publication=hours.publication_of(db(), run.id),
        notices=letters.notices_job(db(), run.id),
        draw_status=draw_status,
        signatures_needed=runs.SIGNATURES_NEEDED,
        job=db().get(Job, run.job_id) if run.job_id else None,
        form=form,
        aside=form if isinstance(form, SetAsideForm) else SetAsideForm(formdata=None),
        signatures=runs.signers(db(), run),
        signed_by_me=any(one.account_id == actor().account_id for one in runs.signed_by(db(), run)),
        same=[
            other for other in runs.of_round(db(), run.round_id) if other.digest == run.digest and other.id != run.id
        ],
        replaced=db().get_one(Snapshot, run.snapshot_id).replaced_at is not None,
        is_central=round_.kind == RoundKind.CENTRAL,
        error=word("error", run.error) if run.error in table()["error"] else run.error,
        checks=CENTRAL_CHECKS if round_.kind == RoundKind.CENTRAL else CHECKS,
        shares=_shares(run),
        compared=compared,
        told_of=differences.told_of,
        marked_points=run_comparison.MARKED_POINTS,
        notes=notes,
        signing=signing,
        has_record=run.state in run_record.RECORDED,
        area_names=area_names(),
        may_act=actor().is_any(Role.CITY_OFFICIAL),
    )


def _compared(run: Run) -> Comparison | None:
    return run_comparison.of_run(db(), run) if run.summary else None


def _shares(run: Run) -> tuple[Coverage, Coverage] | None:
    """The city's coverage today and after this run's children have arrived; None for replays and unfinished runs."""
    if not run.summary or run.replays or run.state not in (RunState.CHECKED, RunState.SIGNED, RunState.PUBLISHED):
        return None
    on = city_day()
    figures = shares.city_shares(db(), Definition(on), year=rounds.get_round(db(), run.round_id).year)
    if run.state == RunState.PUBLISHED:
        return figures.city.now, figures.city.after
    return figures.city.now, run_intake.after_run(db(), run.id, figures)


@pages.get("/draws/runs/<uuid:run_id>/record.pdf")
@desk("officials", *READERS)
def run_record_pdf(run_id: uuid.UUID) -> ResponseReturnValue:
    """The record for the notary and the files, in the reader's language."""
    record = run_record.of_run(db(), run_id, by=actor(), now=clock())
    is_central = record.round.kind == RoundKind.CENTRAL
    config = services().config
    page = draw_record(
        record,
        read=differences.read_sentences(record.run, _compared(record.run), record.read),
        public_url=config.public_url,
        page=None if is_central else url_for("public.draw_page", round_id=record.round.id),
        demo=config.demo,
        on=clock(),
    )
    letter = letters.ask(db(), Subject(account_id=actor().account_id), page, now=clock())
    back = url_for("officials.run_page", run_id=run_id)
    back_text = _("第 %(n)s 次派位", n=record.run.number)
    waiting = waiting_page(letter, frame="layout.html", back=back, back_text=back_text)
    if waiting is not None:
        return waiting
    return pdf_file(letter, f"draw-record-{record.round.year}-{record.round.number}-{record.run.number}")


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
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def sign_run(run_id: uuid.UUID) -> ResponseReturnValue:
    run = runs.one(db(), run_id)
    compared = _compared(run)
    form = SignForm(compared, sentences=differences.sentences(run, compared), is_explained=bool(runs.notes(db(), run)))
    if form.validate_on_submit():
        with refusals_in(form):
            note = (form.note.data or "") if form.note else ""
            people = run_signing.sign(
                db(),
                run_id,
                read=form.read.data or (),
                announced=form.announced.data or "",
                by=actor(),
                now=clock(),
                note=note,
            )
            if people < runs.SIGNATURES_NEEDED:
                flash(_("已签署，还需要另一位工作人员签署。"))
            return redirect(url_for("officials.run_page", run_id=run_id), 303)
    return _run_page(run_id, form)


@pages.post("/draws/runs/<uuid:run_id>/prepare")
@desk("officials", Role.CITY_OFFICIAL)
def prepare_run_again(run_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            requests.prepare_again(db(), run_id, by=actor(), now=clock())
            return redirect(url_for("officials.run_page", run_id=run_id), 303)
    return _run_page(run_id, form)


@pages.post("/draws/runs/<uuid:run_id>/set-aside")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def set_run_aside(run_id: uuid.UUID) -> ResponseReturnValue:
    form = SetAsideForm()
    if form.validate_on_submit():
        with refusals_in(form):
            run = runs.set_aside(db(), run_id, reason=form.reason.data or "", by=actor(), now=clock())
            flash(_("这次派位已搁置，仍然保留备查。"))
            return redirect(url_for("officials.draw_room", round_id=run.round_id), 303)
    return _run_page(run_id, form)
