"""The studies of the policy laboratory: all of them, a new one, one with its figures, and what is done with it."""

import uuid

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Role
from enrollment.ground.errors import Refused
from enrollment.laboratory import studies
from enrollment.laboratory.study_rows import LaboratoryStudy
from enrollment.places import spreadsheets
from enrollment.season.round_rows import Round
from portal.officials import pages
from portal.officials.laboratory import charts, figures
from portal.officials.laboratory.forms import StudyActForm, StudyForm, VariantForm
from portal.officials.planning.words import round_name
from portal.officials.scope import READERS, area_names
from portal.text.formats import refusal
from portal.text.words import word
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/laboratory")
@desk("officials", *READERS)
def laboratory() -> ResponseReturnValue:
    return _list_page(StudyForm())


@pages.post("/laboratory")
@desk("officials", Role.CITY_OFFICIAL)
def new_study() -> ResponseReturnValue:
    form = StudyForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            made = studies.create(
                db(), form.name.data, form.round(), form.variants(), draws=form.draws.data, by=actor(), now=clock()
            )
            return redirect(url_for("officials.study", study_id=made.id), 303)
    return _list_page(form)


def _list_page(form: StudyForm) -> ResponseReturnValue:
    form.set_choices()
    found = studies.all_studies(db())
    return render_template(
        "officials/laboratory.html",
        form=form,
        studies=found,
        rounds={each.id: each for each in studies.rounds_to_study(db())},
        people={each.made_by: db().get_one(Account, each.made_by).name for each in found},
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


@pages.get("/laboratory/<uuid:study_id>")
@desk("officials", *READERS)
def study(study_id: uuid.UUID) -> ResponseReturnValue:
    return _study_page(study_id, StudyActForm())


@pages.get("/laboratory/<uuid:study_id>/progress.json")
@desk("officials", *READERS)
def study_progress(study_id: uuid.UUID) -> ResponseReturnValue:
    """How many draws are done, for the page's script."""
    found = studies.get(db(), study_id)
    job = studies.job_of(db(), found)
    return {
        "state": "running" if studies.is_running(db(), found) else "done",
        "done": job.done_units if job else 0,
        "of": job.all_units if job else 0,
        "step": _step(found),
    }


@pages.post("/laboratory/<uuid:study_id>/draw")
@desk("officials", Role.CITY_OFFICIAL)
def draw_study(study_id: uuid.UUID) -> ResponseReturnValue:
    form = StudyActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            studies.request(db(), study_id, version=form.version_number(), by=actor(), now=clock())
            return redirect(url_for("officials.study", study_id=study_id), 303)
    return _study_page(study_id, form)


@pages.post("/laboratory/<uuid:study_id>/stop")
@desk("officials", Role.CITY_OFFICIAL)
def stop_study(study_id: uuid.UUID) -> ResponseReturnValue:
    form = StudyActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            stopped = studies.stop(db(), study_id, by=actor(), now=clock())
            flash(_("已停止。已经抽完的办法留着结果。") if stopped else _("来不及停止：已经结束了。"))
            return redirect(url_for("officials.study", study_id=study_id), 303)
    return _study_page(study_id, form)


@pages.get("/laboratory/<uuid:study_id>/variants/new")
@desk("officials", Role.CITY_OFFICIAL)
def new_variant(study_id: uuid.UUID) -> ResponseReturnValue:
    found = studies.get(db(), study_id)
    return _variant_page(found, VariantForm(data={"version": found.version}))


@pages.post("/laboratory/<uuid:study_id>/variants/new")
@desk("officials", Role.CITY_OFFICIAL)
def add_variant(study_id: uuid.UUID) -> ResponseReturnValue:
    found, form = studies.get(db(), study_id), VariantForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            studies.add_variant(db(), study_id, form.variant(), version=form.version_number(), by=actor(), now=clock())
            return redirect(url_for("officials.study", study_id=study_id), 303)
    return _variant_page(found, form)


@pages.post("/laboratory/<uuid:study_id>/variants/<int:number>/remove")
@desk("officials", Role.CITY_OFFICIAL)
def remove_variant(study_id: uuid.UUID, number: int) -> ResponseReturnValue:
    form = StudyActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            studies.remove_variant(db(), study_id, number, version=form.version_number(), by=actor(), now=clock())
            return redirect(url_for("officials.study", study_id=study_id), 303)
    return _study_page(study_id, form)


@pages.get("/laboratory/<uuid:study_id>/<any('figures.csv', 'figures.xlsx'):name>")
@desk("officials", *READERS)
def study_file(study_id: uuid.UUID, name: str) -> ResponseReturnValue:
    """Every figure of the study, as the page shows them."""
    found = studies.get(db(), study_id)
    head = [word("laboratory_column", column) for column in figures.HEAD]
    rows = list(figures.table(found, area_names()))
    audit.record(db(), "export", "laboratory_study", found.id, by=actor(), now=clock(), file=name)
    is_csv = name.endswith(".csv")
    body = spreadsheets.to_csv(head, rows) if is_csv else spreadsheets.to_xlsx(_("对比"), head, rows)
    headers = {"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"}
    return Response(body, mimetype="text/csv" if is_csv else XLSX, headers=headers)


def _variant_page(found: LaboratoryStudy, form: VariantForm) -> ResponseReturnValue:
    form.set_choices()
    return render_template("officials/laboratory_variant.html", study=found, form=form)


def _study_page(study_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    found = studies.get(db(), study_id)
    columns = figures.columns(found)
    drawn = [column for column in columns if column.row.result is not None]
    chosen = next((column for column in drawn[1:] if column.letter == request.args.get("with")), None)
    job = studies.job_of(db(), found)
    refused = Refused.from_row(job.result) if job else None
    chosen = chosen or (drawn[-1] if len(drawn) > 1 else None)
    return render_template(
        "officials/laboratory_study.html",
        study=found,
        form=form,
        columns=columns,
        drawn=drawn,
        chosen=chosen,
        figures=figures,
        charts=charts,
        verdicts=figures.verdicts(found),
        areas=area_names(),
        round=db().get_one(Round, found.round_id),
        round_name=round_name,
        running=studies.is_running(db(), found),
        job=job,
        refused=refusal(refused) if refused else "",
        step=_step(found),
        may_change=actor().is_any(Role.CITY_OFFICIAL),
        most_variants=studies.MOST_VARIANTS,
    )


def _step(found: LaboratoryStudy) -> str:
    ready = sum(each.result is not None for each in found.variants)
    return _("%(n)s 种办法抽完了 %(done)s 种", n=len(found.variants), done=ready)
