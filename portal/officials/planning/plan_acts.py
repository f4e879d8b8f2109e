"""What is done beside the search of a plan: play it through, ask for it without a promise, compare it, print it."""

import uuid

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from allocation.planning.conflict import Promise
from enrollment.ground import audit
from enrollment.ground.accounts import Role
from enrollment.places.measures import library
from enrollment.planning import papers, plans, simulations
from enrollment.planning.question import Question
from enrollment.results.letters import LetterState
from portal.letters.plan_paper import plan_paper_page
from portal.officials import pages
from portal.officials.forms import ActForm
from portal.officials.planning import words as planning_words
from portal.officials.planning.comparison import Compared
from portal.officials.planning.figures import PlanFigures
from portal.officials.planning.forms import PromiseForm
from portal.officials.planning.plans import people_of, plan_page
from portal.officials.planning.simulated import Simulated
from portal.officials.scope import READERS, area_names
from portal.text.formats import refusal
from portal.web.forms import parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services

AGAIN = 2
"""Seconds after which the page of a paper that is being drawn asks again."""


@pages.post("/planning/<uuid:plan_id>/simulate")
@desk("officials", Role.CITY_OFFICIAL)
def simulate_plan(plan_id: uuid.UUID) -> ResponseReturnValue:
    """Play the plan through once more."""
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            simulations.ask(db(), plan_id, by=actor(), now=clock())
            return redirect(url_for("officials.plan", plan_id=plan_id, _anchor="simulated"), 303)
    return plan_page(plan_id, form)


@pages.get("/planning/<uuid:plan_id>/simulation.json")
@desk("officials", *READERS)
def simulation_progress(plan_id: uuid.UUID) -> ResponseReturnValue:
    """How far the simulation is, for the page's script."""
    row = simulations.of_plan(db(), plans.get(db(), plan_id).id)
    job = simulations.job_of(db(), row)
    done, of = (job.done_units, job.all_units) if job else (0, 0)
    return {
        "state": "running" if simulations.is_running(db(), row) else "done",
        "done": done,
        "of": of,
        "step": _("正在重算：%(of)s 次派位做好了 %(done)s 次", of=of, done=done) if of else _("等待后台接手"),
    }


@pages.post("/planning/<uuid:plan_id>/without")
@desk("officials", Role.CITY_OFFICIAL)
def plan_without(plan_id: uuid.UUID) -> ResponseReturnValue:
    """Ask for the same plan without one promise, and search for it at once."""
    form = PromiseForm()
    if form.validate_on_submit():
        with refusals_in(form):
            source = plans.get(db(), plan_id)
            promise = Promise(form.promise.data)
            name = planning_words.name_without(source.name, promise)
            made = plans.ask_without(db(), plan_id, promise, name, by=actor(), now=clock())
            flash(_("正在算「%(name)s」。原来的方案没有变。", name=made.name))
            return redirect(url_for("officials.plan", plan_id=made.id), 303)
    return plan_page(plan_id, form)


@pages.get("/planning/<uuid:plan_id>/compare")
@desk("officials", *READERS)
def compare_plans(plan_id: uuid.UUID) -> ResponseReturnValue:
    """Two plans side by side: what was asked, the figures, and the measures that only one of them takes."""
    other_id = parse_uuid(request.args.get("with"))
    if other_id is None or other_id == plan_id:
        return redirect(url_for("officials.plan", plan_id=plan_id))
    both = [plans.get(db(), plan_id), plans.get(db(), other_id)]
    figures = [PlanFigures.of(each) for each in both]
    codes = sorted({code for each in figures if each for code in each.starts})
    return render_template(
        "officials/plan_comparison.html",
        both=both,
        compared=Compared(both, figures, {each.code: each for each in library.of_codes(db(), codes)}),
        say=planning_words,
        areas=area_names(),
    )


@pages.get("/planning/<uuid:plan_id>/plan.pdf")
@desk("officials", *READERS)
def plan_pdf(plan_id: uuid.UUID) -> ResponseReturnValue:
    """The plan on three pages, or a page that waits for it and turns by itself."""
    found = plans.get(db(), plan_id)
    figures = PlanFigures.of(found)
    if figures is None or plans.is_running(db(), found):
        return redirect(url_for("officials.plan", plan_id=plan_id))
    result = simulations.result_for(found, simulations.of_plan(db(), plan_id))
    page = plan_paper_page(
        found,
        figures,
        Simulated(result, figures) if result else None,
        library.of_codes(db(), list(figures.starts)),
        areas=area_names(),
        people=people_of([found]),
        question=Question.from_json(found.question),
        money=planning_words.money,
        percent=planning_words.percent,
        round_name=planning_words.round_name,
        demo=services().config.demo,
    )
    paper = papers.ask(db(), plan_id, page, now=clock())
    if paper.content is not None and not request.args.get("follow"):
        audit.record(db(), "export", "measure_plan", found.id, by=actor(), now=clock(), file="plan.pdf")
        headers = {"Content-Disposition": "attachment; filename=plan.pdf", "Cache-Control": "no-store"}
        return Response(paper.content, mimetype="application/pdf", headers=headers)
    body = render_template(
        "officials/plan_paper.html",
        plan=found,
        paper=paper,
        refused=refusal(paper.refused) if paper.refused else "",
    )
    answer = make_response(body, 200 if paper.content is not None else 202)
    if paper.content is not None:
        answer.headers["Refresh"] = f"1; url={request.path}"
    elif paper.state != LetterState.FAILED:
        answer.headers["Refresh"] = f"{AGAIN}; url={request.path}?follow=1"
    answer.headers["Cache-Control"] = "no-store"
    return answer
