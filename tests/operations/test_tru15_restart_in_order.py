"""TRU15, R5, R8: parts that end in order or are killed, and what goes on in their place; found by `make torture`."""

import contextlib
import time

import psutil
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from portal.jobs import process_identity
from portal.operations import doctor
from portal.operations.embedded import Postgres
from portal.web.clock import real_now
from tests.operations.serving import Serving, eventually, serving

pytestmark = [pytest.mark.long, pytest.mark.slow]
READY = "portal.operations.standby ready"


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portal")
    for each in (folder, folder.parent):
        each.chmod(0o755)
    with serving(folder) as portal:
        portal.hear("ready at")
        portal.folder = folder
        yield portal


def answers(portal: Serving, path: str = "/") -> bool:
    with contextlib.suppress(OSError):  # a request waits at the socket while the next ones start
        return portal.get(path)[0] == 200
    return False


def ready_one(portal: Serving) -> psutil.Process:
    def found():
        with contextlib.suppress(AssertionError):
            return portal.child(READY)

    return eventually(found, 300)


def spent(process: psutil.Process) -> float:
    """Seconds of a processor that this process has used, without its children."""
    times = process.cpu_times()
    return times.user + times.system


def slowness() -> float:
    """How many seconds on the clock a second of a processor takes here now: others may have the machine."""
    began, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.3:
        pass
    return max(1.0, (time.monotonic() - began) / 0.3)


def test_tru15_after_a_restart_in_order_families_are_served_again(portal):
    before = portal.child("--name families")
    before.terminate()
    eventually(lambda: portal.has_another("--name families", before))
    eventually(lambda: answers(portal))


def test_tru15_a_killed_master_is_back_without_loading_anything(portal):
    """Seconds on the clock say how busy the machine is; of a processor it takes a small part of what a start takes."""
    ready = ready_one(portal)
    loading = spent(ready)
    before = portal.child("--name desks")
    before.kill()
    eventually(lambda: portal.has_another("--name desks", before))
    now = portal.child("--name desks")
    assert now.pid == ready.pid
    eventually(now.children)
    assert spent(now) - loading < loading / 4, f"{spent(now)} s after {loading} s of loading"
    eventually(lambda: answers(portal, "/sign-in/staff"), 300)
    assert ready_one(portal).pid != now.pid, "and the next one is loaded"


def test_tru15_a_killed_worker_goes_on_and_its_job_waits_for_no_lease(portal):
    ready = ready_one(portal)
    worker = portal.child("worker all")
    engine = open_engine(Postgres(portal.folder / "postgres", portal.folder / "none.log").url("portal"))

    def state_of(job) -> str:
        with Session(engine) as session:
            return session.scalars(select(jobs.Job.state).where(jobs.Job.id == job)).one()

    with Session(engine) as session, session.begin():
        # as a fork of the worker that was killed with it has left it
        job = jobs.enqueue(session, "bonds_incomplete", now=real_now())
        assert jobs.take(session, job, owner=process_identity.name_of(worker.pid)) is not None
    slow = slowness()
    worker.kill()
    began = time.monotonic()
    eventually(lambda: state_of(job) == "done", 300)
    took = time.monotonic() - began
    assert portal.child("worker all").pid == ready.pid
    assert took < jobs.LEASE.total_seconds() / 2 * max(slow, slowness()), f"{took} s"
    engine.dispose()


def test_tru09_everything_is_back_by_itself_within_ten_seconds_after_database_and_queue_are(portal):
    slow = slowness()
    for words in ("valkey-server", "postgres -D"):
        portal.child(words).kill()
    url = Postgres(portal.folder / "postgres", portal.folder / "none.log").url("portal")
    eventually(lambda: doctor.finding("database", lambda: doctor.database(url)).well, 300)
    began = time.monotonic()
    eventually(lambda: answers(portal, "/sign-in") and answers(portal, "/healthz"), 300)
    took = time.monotonic() - began
    assert took < 10 * max(slow, slowness()), f"{took} s"
