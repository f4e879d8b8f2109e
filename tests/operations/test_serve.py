"""`make serve` as a person meets it: it starts, lives through the death of its children, and leaves no process."""

import signal

import psutil
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from portal.clock import real_now
from portal.running import city
from portal.running.embedded import Postgres
from tests.operations.serving import eventually, living, serving

pytestmark = pytest.mark.slow


def is_well(portal) -> bool:
    try:
        return portal.health()["well"]
    except (OSError, ValueError):
        return False


def does_background_work(engine) -> bool:
    """A job is relayed by the running clock and done by the running worker."""
    with Session(engine) as session, session.begin():
        job = jobs.enqueue(session, "forget_import_files", now=real_now())

    def done() -> bool:
        with Session(engine) as session:
            return session.get_one(jobs.Job, job).state == "done"

    return eventually(done, 45)


def test_a_whole_life(tmp_path):
    """First start, the portal and the queue killed and revived, Ctrl-C, a second start, SIGTERM."""
    with serving(tmp_path / "var") as portal:
        portal.hear("ready at")
        assert portal.get()[0] == 200
        assert portal.health()["parts"].keys() >= {"database", "queue", "worker", "clock", "letters"}

        engine = open_engine(Postgres(tmp_path / "var" / "postgres", tmp_path).url("portal"))
        assert does_background_work(engine)

        master = portal.child("gunicorn")
        orphans = master.children(recursive=True)
        master.kill()
        portal.hear(r"portal ended \(signal SIGKILL\)")
        # the orphans may answer for a moment still: well is when a new master is
        eventually(lambda: portal.has_another("gunicorn", master) and is_well(portal))
        eventually(lambda: living(orphans) == [], 30)

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

    with serving(tmp_path / "var") as portal:
        portal.hear("ready at")
        family = portal.family()
        assert portal.end(signal.SIGTERM) == 0
        assert living(family) == []


def test_the_death_of_the_supervisor_is_the_death_of_all(tmp_path):
    with serving(tmp_path / "var") as portal:
        portal.hear("ready at")
        family = portal.family()
        portal.process.kill()
        portal.process.wait()
        eventually(lambda: living(family) == [], 30)
    with serving(tmp_path / "var") as portal:
        portal.hear("ready at")
        assert psutil.pid_exists(portal.process.pid)


WITHOUT_PANGO = """
import ctypes.util
find = ctypes.util.find_library
ctypes.util.find_library = lambda name: None if "pango" in name else find(name)
"""


def test_without_pango_the_portal_starts_and_names_what_is_missing(tmp_path):
    """The library is hidden from every process of this start, as on a machine where it is not installed."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(WITHOUT_PANGO)
    with serving(tmp_path / "var", PYTHONPATH=str(tmp_path / "hidden")) as portal:
        assert "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0" in portal.hear("notices wait")
        portal.hear("ready at")
        assert portal.get()[0] == 200
        assert portal.health()["parts"]["letters"] is False


def test_a_city_that_was_cut_off_begins_anew(tmp_path):
    """Ctrl-C in the first minute leaves half a city; the next start does not show it as a whole one."""
    database = Postgres(tmp_path / "var" / "postgres", tmp_path).url("portal")
    with serving(tmp_path / "var", city=True) as portal:
        portal.hear(r"demo city: \w+ \d+/\d+")
        assert city.state(database) == "unfinished"
        engine = open_engine(database)
        with Session(engine) as session:
            row = session.scalars(select(jobs.Job).where(jobs.Job.dedupe_key == city.KEY)).one()
            assert 0 < row.done_units <= row.all_units
        engine.dispose()
        assert portal.end() == 0
    with serving(tmp_path / "var", city=True) as portal:
        portal.hear("it begins anew")
        portal.hear("loading the demo city")
        portal.hear(r"demo city: \w+ \d+/\d+")
        assert portal.end() == 0
