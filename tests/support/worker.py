"""The worker of page tests: it executes waiting jobs in this process."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from enrollment.draw import draw_jobs
from enrollment.ground.jobs import Job
from portal.jobs import runner

OF_THE_DRAW = (*draw_jobs.KINDS, "run_round")


def let_the_worker_work(engine: Engine, clock, kinds: tuple[str, ...] = OF_THE_DRAW) -> list[str]:
    """Do every waiting job of these kinds at the time of `clock`; what came of each."""
    runner.load_handlers()
    with Session(engine) as session:
        waiting = select(Job.id).where(Job.state == "waiting", Job.kind.in_(kinds)).order_by(Job.created_at)
        found = session.scalars(waiting).all()
    return [runner.run(engine, lambda _session: clock.now, job_id, "a worker") for job_id in found]
