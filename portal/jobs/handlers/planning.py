"""The search for a plan of measures."""

import uuid
from typing import Any

from enrollment.ground.errors import Refused
from enrollment.planning import search, seat_searches
from portal.jobs.runner import JobRun, job_handler


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
