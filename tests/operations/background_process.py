"""A real worker or clock for tests, with handlers that only tests need: `… worker quick|all` or `… clock`."""

import os
import sys
import threading
from pathlib import Path

from portal.app import create_app
from portal.config import from_environment
from portal.jobs import runner, scheduler, worker
from portal.jobs.runner import JobRun, job_handler


@job_handler("test_hold")
def hold(job: JobRun) -> dict:
    """The first run writes a line and hangs; the second one ends."""
    with Path(job.args["file"]).open("a") as file:
        file.write(f"run {job.attempt}\n")
    if job.attempt == 1 and job.args.get("hangs"):
        threading.Event().wait()
    job.progress(1, 1)
    return {"attempt": job.attempt}


@job_handler("test_fault", queue="quick")
def fault(job: JobRun) -> None:
    raise ValueError("a text that may hold a name")


@job_handler("test_batch", queue="bulk")
def batch(job: JobRun) -> dict:
    return {"nice": os.nice(0), "leads": os.getsid(0) == os.getpid()}


if __name__ == "__main__":
    runner.load_handlers()
    app = create_app(from_environment())
    if sys.argv[1] == "worker":
        worker.serve(app, sys.argv[2])
    else:
        scheduler.serve(app)
