"""A real worker or clock for tests, with handlers that only tests need: `… worker quick|all` or `… clock`."""

import sys
import threading
from pathlib import Path

from portal.app import create_app
from portal.config import from_environment
from portal.jobs import runner, scheduler, worker
from portal.jobs.runner import Work, handles


@handles("test_hold")
def hold(work: Work) -> dict:
    """The first run says that it began, and never comes back; the second one ends."""
    with Path(work.args["file"]).open("a") as file:
        file.write(f"run {work.attempt}\n")
    if work.attempt == 1 and work.args.get("hangs"):
        threading.Event().wait()
    work.progress(1, 1)
    return {"attempt": work.attempt}


@handles("test_fault", queue="quick")
def fault(work: Work) -> None:
    raise ValueError("a text that may hold a name")


if __name__ == "__main__":
    runner.load_handlers()
    app = create_app(from_environment())
    if sys.argv[1] == "worker":
        worker.serve(app, sys.argv[2])
    else:
        scheduler.serve(app)
