"""The search for a plan of measures."""

import uuid
from typing import Any

from enrollment.ground.errors import Refused
from enrollment.planning import papers, search, seat_searches, simulations
from portal.jobs.runner import JobRun, job_handler
from portal.letters import pdf_renderer
from portal.letters.pdf_renderer import PdfUnavailable
from portal.text import languages


@job_handler("search_plan", queue="bulk", timeout=3600)
def search_plan(job: JobRun) -> dict:
    """Read, search outside a transaction, keep each better plan.  A second run begins the search again."""
    plan_id = uuid.UUID(job.args["plan"])
    try:
        with job.session() as session:
            task = search.read(session, plan_id, now=job.now(session))
    except Refused as refused:
        with job.session() as session:
            search.refuse(session, plan_id)
        return refused.as_row()
    if task is None:
        return {"state": "stopped"}

    def keep(result: dict[str, Any]) -> None:
        with job.session() as session:
            search.save(session, plan_id, job.job_id, result)

    def is_stopped() -> bool:
        with job.session() as session:
            return search.was_stopped(session, plan_id)

    def step(name: str, done: int, of: int) -> None:
        job.progress(done, of, name)

    result = search.run(task, search.Reporter(step, keep, is_stopped))
    with job.session() as session:
        search.save(session, plan_id, job.job_id, result)
        search.finish(session, plan_id, now=job.now(session))
        simulations.enqueue_after_search(session, plan_id, now=job.now(session))
    return {"state": "done"}


@job_handler(simulations.KIND, queue="bulk", timeout=3600)
def simulate_plan(job: JobRun) -> dict:
    """Read, play through outside a transaction, keep the result.  A second run plays the same again."""
    plan_id = uuid.UUID(job.args["plan"])
    try:
        with job.session() as session:
            task = simulations.read(session, plan_id)
    except Refused as refused:
        with job.session() as session:
            simulations.finish(session, plan_id, job.job_id, None, now=job.now(session))
        return refused.as_row()
    if task is None:
        with job.session() as session:
            simulations.finish(session, plan_id, job.job_id, None, now=job.now(session))
        return {"state": "stopped"}
    of = task.draws

    def tell(done: int) -> None:
        job.progress(done, of)

    result = simulations.run(task, tell)
    with job.session() as session:
        simulations.finish(session, plan_id, job.job_id, result, now=job.now(session))
    return {"state": "done"}


@job_handler("search_places", queue="bulk", timeout=3600)
def search_places(job: JobRun) -> dict:
    """Read, search outside a transaction, keep the result.  A second run searches the same again."""
    search_id = uuid.UUID(job.args["search"])
    try:
        with job.session() as session:
            task = seat_searches.read(session, search_id, now=job.now(session))
        if task is None:
            return {"state": "stopped"}
        places = task.places

        def tell(given: int) -> None:
            job.progress(given, places)
            with job.session() as session:
                seat_searches.raise_if_stopped(session, search_id)

        result = seat_searches.run(task, tell)
    except seat_searches.Stopped:
        return {"state": "stopped"}
    except Refused as refused:
        with job.session() as session:
            seat_searches.refuse(session, search_id)
        return refused.as_row()
    with job.session() as session:
        seat_searches.finish(session, search_id, result, now=job.now(session))
    return {"state": "done"}


@job_handler(papers.KIND, queue="quick", timeout=120)
def draw_plan(job: JobRun) -> dict:
    """Draw a plan on paper that somebody waits for.  One that says something else by now is left to its own job."""
    plan_id, language = uuid.UUID(job.args["plan"]), str(job.args["language"])
    with job.session() as session:
        html = papers.waiting_page(session, plan_id, language, job.job_id)
    if html is None:
        return {"drawn": 0}
    try:
        with languages.speaking(language):
            content = pdf_renderer.draw(html)
    except PdfUnavailable as fault:
        raise Refused("pdf_unavailable", missing=fault.how) from fault
    with job.session() as session:
        kept = papers.keep(session, plan_id, language, job.job_id, content, now=job.now(session))
    return {"drawn": int(kept)}
