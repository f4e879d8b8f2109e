"""The engine is compiled before anybody waits for it: once on a machine for each change of its sources."""

from enrollment.draw import execution
from portal.jobs.runner import Work, handles


@handles("warm_engine", queue="bulk")
def warm_engine(work: Work) -> None:
    execution.warm()
