"""Queues and workers agree; every kind of job and every periodic job has a handler."""

import ast

from portal.jobs import runner, scheduler
from portal.jobs.queue_entries import QUEUES
from tests.guards.test_texts_of_codes import ROOT, modules_with


def kinds_in_the_code() -> dict[str, str]:
    """The kind of each `jobs.enqueue(session, "kind", …)`, and its place in the code."""
    found = {}
    for file, tree in modules_with("enqueue"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("jobs.enqueue", "enqueue_job"):
                kind = next((word.value for word in node.keywords if word.arg == "kind"), None) or node.args[1]
                if isinstance(kind, ast.Constant):
                    found[kind.value] = f"{file.relative_to(ROOT)}:{node.lineno}"
    return found


def test_every_kind_of_job_has_a_handler():
    runner.load_handlers()
    orphans = {kind: place for kind, place in kinds_in_the_code().items() if kind not in runner.HANDLERS}
    assert orphans == {}


def test_every_periodic_job_has_a_handler():
    runner.load_handlers()
    assert {tick.kind for tick in (*scheduler.SCHEDULE, *scheduler.DEMO_SCHEDULE)} <= runner.HANDLERS.keys()


def test_queue_names_equal_worker_names():
    runner.load_handlers()
    served = {name for queues in runner.WORKERS.values() for name in queues}
    assert served == set(QUEUES)
    assert {handler.queue for handler in runner.HANDLERS.values()} <= served
