"""`make serve` as a person meets it: it starts, lives through the death of its children, and leaves no process."""

import signal
import time

import psutil
import pytest

from tests.operations.serving import eventually, living, serving

pytestmark = pytest.mark.slow


def is_well(portal) -> bool:
    try:
        return portal.health()["well"]
    except (OSError, ValueError):
        return False


def test_a_whole_life(tmp_path):
    """First start, the portal and the queue killed and revived, Ctrl-C, a quick second start, SIGTERM."""
    with serving(tmp_path / "var") as portal:
        portal.hear("ready at")
        assert portal.get()[0] == 200
        assert portal.health()["parts"].keys() >= {"database", "queue", "worker", "clock", "letters"}

        master = portal.child("gunicorn")
        orphans = master.children(recursive=True)
        master.kill()
        portal.hear(r"portal ended \(signal SIGKILL\)")
        eventually(lambda: is_well(portal))
        assert portal.child("gunicorn").pid != master.pid
        assert living(orphans) == []

        queue = portal.child("valkey")
        queue.kill()
        portal.hear("Valkey ended")
        eventually(lambda: is_well(portal), 60)

        family = portal.family()
        assert len(family) >= 8
        assert portal.end(signal.SIGINT) == 0
        assert portal.lines[-1] == "portal: stopped"
        assert living(family) == []

    with serving(tmp_path / "var") as portal:
        portal.hear("ready at")
        assert time.monotonic() - portal.began < 10
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
