"""Compile the engine in advance, once per machine after each change of its source files."""

from enrollment.draw import execution
from portal.jobs.runner import JobRun, job_handler


@job_handler("warm_engine", queue="bulk")
def warm_engine(job: JobRun) -> None:
    execution.warm()
