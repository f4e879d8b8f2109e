"""The worker of page tests: it executes waiting jobs in this process."""

from sqlalchemy import Engine, String, cast, select
from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs
from enrollment.draw.publication import hours
from enrollment.draw.publication.rows import Publication
from enrollment.ground.jobs import Job
from portal.jobs import runner

IMPORTS = ("check_import", "apply_import")
OF_THE_DRAW = (*draw_jobs.KINDS, "run_round", hours.PUBLISH)


def let_the_worker_work(engine: Engine, clock, kinds: tuple[str, ...] = OF_THE_DRAW) -> list[str]:
    """Do every waiting job of these kinds at the time of `clock`, an opening only at its hour; what came of each."""
    runner.load_handlers()
    with Session(engine) as session:
        waiting = (
            select(Job.id)
            .where(Job.state == "waiting", Job.kind.in_(kinds), Job.due_at <= clock.now)
            .order_by(Job.created_at)
        )
        passed = select(cast(Publication.run_id, String)).where(Publication.hour <= clock.now)
        waiting = waiting.where((Job.kind != hours.PUBLISH) | Job.args["run"].astext.in_(passed))
        found = session.scalars(waiting).all()
    return [runner.run(engine, lambda _session: clock.now, job_id, "a worker") for job_id in found]
