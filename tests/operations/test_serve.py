"""`make serve` starts, survives the death of its children, and leaves no process."""

import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from portal.operations import demo_loading
from portal.operations.embedded import Postgres
from portal.web.clock import real_now
from tests.operations.serving import LONGEST, ROOT, all_end, environment, eventually, living, refusal, serving

pytestmark = [pytest.mark.slow, pytest.mark.long]


def is_well(portal) -> bool:
    try:
        return portal.health()["well"]
    except (OSError, ValueError):
        return False


def answers(portal, path: str) -> bool:
    try:
        return portal.get(path)[0] == 200
    except OSError:
        return False


def does_background_work(engine) -> bool:
    """A job is relayed by the running clock and done by the running worker."""
    with Session(engine) as session, session.begin():
        job = jobs.enqueue(session, "forget_import_files", now=real_now())

    def done() -> bool:
        with Session(engine) as session:
            return session.get_one(jobs.Job, job).state == "done"

    return eventually(done, 45)


def test_start_restart_and_stop(tmp_path):
    """Three starts in one folder: each takes long on both cores, so what one can show is shown by one."""
    folder = tmp_path / "var"
    children_die_and_ctrl_c(folder)
    the_death_of_the_supervisor_is_the_death_of_all(folder)
    nobody_else_takes_the_folder_until_sigterm(folder)


def children_die_and_ctrl_c(folder):
    """First start, the portal and the queue killed and revived, then Ctrl-C."""
    with serving(folder) as portal:
        portal.hear("ready at")
        assert portal.get()[0] == 200
        assert portal.health()["parts"].keys() >= {"database", "queue", "worker", "clock", "sender", "letters"}

        engine = open_engine(Postgres(folder / "postgres", folder).url("portal"))
        assert does_background_work(engine)

        master = portal.child("--name families")
        orphans = master.children(recursive=True)
        master.kill()
        portal.hear(r"portal ended \(signal SIGKILL\)")
        # the orphans may answer for a moment still: well is when a new master is
        eventually(lambda: portal.has_another("--name families", master) and is_well(portal))
        all_end(orphans)

        proxy = portal.child("/proxy/")
        proxy.kill()
        portal.hear(r"proxy ended \(signal SIGKILL\)")
        # a visitor who comes now waits at the socket that the supervisor holds, until the next proxy takes it
        eventually(lambda: answers(portal, "/sign-in"))
        portal.child("--app wsgi line").kill()
        portal.hear(r"line ended \(signal SIGKILL\)")
        # who is not let in yet waits at the socket of the line
        eventually(lambda: answers(portal, "/sign-in"))

        queue = portal.child("valkey")
        queue.kill()
        portal.hear("Valkey ended")
        eventually(lambda: is_well(portal), 60)
        assert does_background_work(engine)
        engine.dispose()

        family = portal.family()
        assert len(family) >= 8
        assert portal.end(signal.SIGINT) == 0
        assert portal.lines[-1] == "portal: stopped"
        assert living(family) == []


def the_death_of_the_supervisor_is_the_death_of_all(folder):
    with serving(folder) as portal:
        portal.hear("ready at")
        family = portal.family()
        portal.process.kill()
        portal.process.wait()
        all_end(family)


def nobody_else_takes_the_folder_until_sigterm(folder):
    """After that death it starts again; a second start and `make clean-data` name who runs, and wait."""
    with serving(folder) as portal:
        portal.hear("starting database")
        line = refusal(folder)
        assert "already runs" in line
        assert str(portal.process.pid) in line
        assert str(portal.port) in line
        refused = forget_data(folder)
        assert refused.returncode == 1
        assert "already runs" in refused.stderr
        portal.hear("ready at")
        family = portal.family()
        assert portal.end(signal.SIGTERM) == 0
        assert living(family) == []
    assert forget_data(folder).returncode == 0
    assert os.listdir(folder) == ["serve.lock"]


def forget_data(folder) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "portal.operations.serve", "--forget-data"]
    return subprocess.run(
        command, cwd=ROOT, env=environment(folder), capture_output=True, text=True, timeout=LONGEST, check=False
    )


WITHOUT_PANGO = """
import ctypes.util
find = ctypes.util.find_library
ctypes.util.find_library = lambda name: None if "pango" in name else find(name)
"""


def test_the_portal_starts_without_pango_and_loads_an_interrupted_city_again(tmp_path):
    """The library is hidden from every process of the first start, as on a machine where it is not installed.

    Ctrl-C in that first minute leaves half a city; the next start does not show it as a whole one.
    """
    folder = tmp_path / "var"
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(WITHOUT_PANGO)
    database = Postgres(folder / "postgres", tmp_path).url("portal")
    with serving(folder, city=True, PYTHONPATH=str(tmp_path / "hidden")) as portal:
        assert "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0" in portal.hear("notices wait")
        portal.hear("ready at")
        assert portal.get()[0] == 200
        assert portal.health()["parts"]["letters"] is False

        portal.hear(r"demo city: \w+ [1-9]\d*/\d+")
        assert demo_loading.state(database) == "unfinished"
        engine = open_engine(database)
        with Session(engine) as session:
            row = session.scalars(select(jobs.Job).where(jobs.Job.dedupe_key == demo_loading.KEY)).one()
            assert 0 < row.done_units <= row.all_units
        engine.dispose()
        assert portal.end() == 0
    with serving(folder, city=True) as portal:
        portal.hear("it begins anew")
        portal.hear("loading the demo city")
        portal.hear(r"demo city: \w+ \d+/\d+")
        assert portal.end() == 0
