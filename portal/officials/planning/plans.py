"""Plans: all of them, a new question, one plan with its figures, and what is done with it."""

import uuid
from collections.abc import Sequence

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from allocation.planning.problem import Lock
from enrollment.coverage.targets import targets_on
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Role
from enrollment.ground.errors import Refused
from enrollment.places.measures import library
from enrollment.planning import plans, problem_reader, simulations
from enrollment.planning.plan_rows import MeasurePlan
from enrollment.planning.question import Question, group_of
from portal.officials import pages
from portal.officials.planning import charts, workbook
from portal.officials.planning import words as planning_words
from portal.officials.planning.figures import PlanFigures
from portal.officials.planning.forms import PlanActForm, QuestionForm
from portal.officials.planning.simulated import Simulated
from portal.officials.scope import READERS, area_names
from portal.text.formats import refusal
from portal.text.words import word
from portal.web.forms import PageForm, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, city_day, clock, db

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PUBLIC, COVERED = 5_100, 8_200
"""The targets that a form begins with where nobody has set one."""

SHOWN = 12
"""Measures of a plan on one page."""


@pages.get("/planning")
@desk("officials", *READERS)
def planning() -> ResponseReturnValue:
    found = plans.all_plans(db())
    return render_template(
        "officials/planning.html",
        plans=found,
        people=people_of(found),
        measures=library.all_measures(db()),
        questions={each.id: Question.from_json(each.question) for each in found},
        say=planning_words,
        may_change=actor().is_any(Role.CITY_OFFICIAL),
    )


@pages.get("/planning/new")
@desk("officials", Role.CITY_OFFICIAL)
def new_plan() -> ResponseReturnValue:
    """A question; with `from` that of another plan, whose locks it keeps."""
    form = QuestionForm()
    source = parse_uuid(request.args.get("from"))
    if form.public.raw_data is None:
        form.fill_from(Question.from_json(plans.get(db(), source).question) if source else _usual_question())
        form.source.data = str(source or "")
    return render_template("officials/planning_new.html", form=form)


@pages.post("/planning/new")
@desk("officials", Role.CITY_OFFICIAL)
def ask_plan() -> ResponseReturnValue:
    form = QuestionForm()
    if form.validate_on_submit():
        with refusals_in(form):
            source = parse_uuid(form.source.data)
            made = plans.create(db(), form.name.data, form.question(), locks_of=source, by=actor(), now=clock())
            plans.request(db(), made.id, version=made.version, by=actor(), now=clock())
            return redirect(url_for("officials.plan", plan_id=made.id), 303)
    return render_template("officials/planning_new.html", form=form)


def _usual_question() -> Question:
    first = problem_reader.first_september(db(), clock())
    goals = targets_on(db(), city_day()).city
    return Question(
        public=goals.public.hundredths if goals.public else PUBLIC,
        covered=goals.inclusive.hundredths if goals.inclusive else COVERED,
        deadline=first + 2,
    )


@pages.get("/planning/<uuid:plan_id>")
@desk("officials", *READERS)
def plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    return plan_page(plan_id, PlanActForm())


@pages.get("/planning/<uuid:plan_id>/progress.json")
@desk("officials", *READERS)
def plan_progress(plan_id: uuid.UUID) -> ResponseReturnValue:
    """How far the search is, for the page's script."""
    found = plans.get(db(), plan_id)
    job = plans.job_of(db(), found)
    return {
        "state": "running" if plans.is_running(db(), found) else "done",
        "done": job.done_units if job else 0,
        "of": job.all_units if job else 0,
        "step": _step(found),
    }


@pages.post("/planning/<uuid:plan_id>/search")
@desk("officials", Role.CITY_OFFICIAL)
def search_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    """Take the locks of the page and search."""
    form = PlanActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            plans.lock(db(), plan_id, form.locks(), version=form.version_number(), by=actor(), now=clock())
            version = plans.get(db(), plan_id).version
            plans.request(db(), plan_id, version=version, by=actor(), now=clock())
            return redirect(url_for("officials.plan", plan_id=plan_id), 303)
    return plan_page(plan_id, form)


@pages.post("/planning/<uuid:plan_id>/stop")
@desk("officials", Role.CITY_OFFICIAL)
def stop_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    form = PlanActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            stopped = plans.stop(db(), plan_id, by=actor(), now=clock())
            flash(_("已停止。到现在为止最好的方案留着。") if stopped else _("来不及停止：已经结束了。"))
            return redirect(url_for("officials.plan", plan_id=plan_id), 303)
    return plan_page(plan_id, form)


@pages.post("/planning/<uuid:plan_id>/propose")
@desk("officials", Role.CITY_OFFICIAL)
def propose_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    form = PlanActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            plans.propose(db(), plan_id, version=form.version_number(), by=actor(), now=clock())
            flash(_("已提出，等另一位市级官员会签。"))
            return redirect(url_for("officials.plan", plan_id=plan_id), 303)
    return plan_page(plan_id, form)


@pages.post("/planning/<uuid:plan_id>/sign")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def sign_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    form = PlanActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            plans.sign(db(), plan_id, version=form.version_number(), by=actor(), now=clock())
            flash(_("已会签。这个方案不再变。"))
            return redirect(url_for("officials.plan", plan_id=plan_id), 303)
    return plan_page(plan_id, form)


@pages.get("/planning/<uuid:plan_id>/plan.xlsx")
@desk("officials", *READERS)
def plan_file(plan_id: uuid.UUID) -> ResponseReturnValue:
    """The plan as a workbook: measures, children by area and year, money, the question and its proof."""
    found = plans.get(db(), plan_id)
    figures = PlanFigures.of(found)
    if figures is None:
        return redirect(url_for("officials.plan", plan_id=plan_id))
    result = simulations.result_for(found, simulations.of_plan(db(), plan_id))
    simulated = Simulated(result, figures) if result else None
    audit.record(db(), "export", "measure_plan", found.id, by=actor(), now=clock(), file="plan.xlsx")
    body = workbook.of(found, figures, simulated, library.of_codes(db(), list(figures.starts)), area_names())
    headers = {"Content-Disposition": "attachment; filename=plan.xlsx", "Cache-Control": "no-store"}
    return Response(body, mimetype=XLSX, headers=headers)


def plan_page(plan_id: uuid.UUID, form: PageForm) -> ResponseReturnValue:
    """The page of a plan, with what a form on it could not do."""
    found = plans.get(db(), plan_id)
    figures = PlanFigures.of(found)
    job = plans.job_of(db(), found)
    refused = Refused.from_row(job.result) if job else None
    question = Question.from_json(found.question)
    running = plans.is_running(db(), found)
    kind = request.args.get("kind", "")
    everything = library.all_measures(db())
    listed = [each for each in everything if not kind or group_of(each.kind) == kind]
    starts = figures.starts if figures else {}
    listed.sort(
        key=lambda each: (each.code not in starts, found.locks.get(each.code) is None, each.area_code, each.code)
    )
    every = request.args.get("all") == "1"
    simulation = simulations.of_plan(db(), plan_id)
    simulation_job = simulations.job_of(db(), simulation)
    no_simulation = Refused.from_row(simulation_job.result) if simulation_job else None
    result = simulations.result_for(found, simulation)
    return render_template(
        "officials/plan.html",
        plan=found,
        form=form,
        figures=figures,
        charts=charts,
        question=question,
        say=planning_words,
        measures=listed if every else listed[:SHOWN],
        hidden=0 if every else max(len(listed) - SHOWN, 0),
        kinds=_kinds([each.kind for each in everything]),
        kind=kind,
        number=len(everything),
        names={each.code: each.name for each in everything},
        locks=(Lock.MUST, Lock.FREE, Lock.NEVER),
        areas=area_names(),
        others=[each for each in plans.all_plans(db()) if each.result and each.id != found.id][:6],
        people=people_of([found]),
        running=running,
        waits_for_second=plans.waits_for_second(db(), found),
        job=job,
        refused=refusal(refused) if refused else "",
        step=_step(found),
        may_change=actor().is_any(Role.CITY_OFFICIAL) and not running and found.signed_at is None,
        may_stop=actor().is_any(Role.CITY_OFFICIAL),
        me=actor().account_id,
        heading=_heading(found, figures, running),
        simulation=simulation,
        simulated=Simulated(result, figures) if result and figures else None,
        simulating=simulations.is_running(db(), simulation),
        simulation_job=simulation_job,
        simulation_refused=refusal(no_simulation) if no_simulation else "",
        source=plans.get(db(), found.relaxed_from) if found.relaxed_from else None,
    )


def _kinds(kinds: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind in kinds:
        found[group_of(kind)] = found.get(group_of(kind), 0) + 1
    return found


def people_of(found: Sequence[MeasurePlan]) -> dict[uuid.UUID, str]:
    """The names of those who made, proposed and signed these plans."""
    ids = {one for each in found for one in (each.made_by, each.proposed_by, each.signed_by) if one}
    rows = db().execute(select(Account.id, Account.name).where(Account.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _heading(found: MeasurePlan, figures: PlanFigures | None, running: bool) -> str:
    """The finding in one sentence."""
    if running:
        return _("%(name)s：正在算", name=found.name)
    if figures is None:
        failed = found.result is not None and found.result["conflict"]
        return _("%(name)s：做不到", name=found.name) if failed else found.name
    cost, year = planning_words.money(figures.plan.money), found.question["deadline"]
    n = len(figures.problem.areas)
    if figures.met_from is not None and figures.met_from <= year:
        return _("规划：%(year)s 年 9 月，%(n)s 个区都能到线，要 %(money)s", year=figures.met_from, n=n, money=cost)
    short, without = figures.short[figures.deadline], sum(figures.unseated)
    if without:
        return _("规划：做不到，五年里有 %(n)s 人次没有座位", n=without)
    return _("规划：%(year)s 年 9 月到不了线，最好也还差 %(n)s 人", year=year, n=short)


def _step(found: MeasurePlan) -> str:
    job = plans.job_of(db(), found)
    name = word("plan_step", job.step if job and job.step else "waiting")
    best = found.result
    if not best or best["starts"] is None:
        return name
    without, short, cost = best["claimed"]
    told = _(
        "到现在最好：没座位 %(u)s，差 %(s)s，%(m)s", u=without, s=-(-short // 10_000), m=planning_words.money(cost)
    )
    if best.get("bound") is not None and best.get("stage") == "money":
        told += _("，离已证明的最省还差 %(g)s", g=planning_words.money(max(round(cost - best["bound"]), 0)))
    return f"{name} · {told}"
