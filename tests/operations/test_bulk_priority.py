"""The fork of a long batch has a session of its own with a low priority, and ends with its worker."""

import os
import subprocess
import sys

import psutil
import pytest

from portal.jobs import bulk_priority
from tests.operations.serving import eventually

FORKED = """
import os, time
from portal.jobs import bulk_priority
worker = os.getpid()
if os.fork() == 0:
    bulk_priority.begin_session(worker)
    bulk_priority.step_back()
    group = bulk_priority.GROUP.read_text() if bulk_priority.GROUP.exists() else "nice 10"
    print(os.getpid(), os.getsid(0), os.nice(0), group.split()[-1], flush=True)
time.sleep(600)
"""


def test_a_batch_steps_back_also_where_sessions_are_weighed_and_ends_with_its_worker():
    with subprocess.Popen([sys.executable, "-c", FORKED], stdout=subprocess.PIPE, text=True) as worker:
        try:
            fork, session, nice, of_session = map(int, worker.stdout.readline().split())
            assert session == fork != os.getsid(worker.pid)
            assert nice == of_session == bulk_priority.NICENESS
        finally:
            worker.kill()
    eventually(lambda: not psutil.pid_exists(fork) or psutil.Process(fork).status() == psutil.STATUS_ZOMBIE)


def told(monkeypatch, tmp_path, *pieces):
    """The rests that a batch takes after pieces of work, each as milliseconds that it had a processor and waited for one."""
    times, rests = tmp_path / "schedstat", []
    had = waited = 0
    times.write_text("0 0 1")
    monkeypatch.setattr(bulk_priority, "WAITED", times)
    monkeypatch.setattr(bulk_priority, "_work", (0, 0))
    monkeypatch.setattr(bulk_priority.time, "sleep", lambda seconds: rests.append(round(seconds, 3)))
    for one, other in pieces:
        had, waited = had + one, waited + other
        times.write_text(f"{had * 1_000_000} {waited * 1_000_000} 1")
        bulk_priority.rest()
    return rests


def test_a_batch_rests_in_proportion_while_others_want_the_processors(monkeypatch, tmp_path):
    assert told(monkeypatch, tmp_path, (60, 0), (60, 10), (60, 20), (100, 100), (60, 0)) == [0.18, 0.3]
    assert told(monkeypatch, tmp_path, (900, 900)) == [bulk_priority.LONGEST_REST]


def test_nobody_else_rests_and_nothing_fails_where_the_system_tells_no_times(monkeypatch, tmp_path):
    assert bulk_priority._work is None
    monkeypatch.setattr(bulk_priority.time, "sleep", lambda seconds: pytest.fail("it rests"))
    bulk_priority.rest()
    monkeypatch.setattr(bulk_priority, "WAITED", tmp_path / "none")
    monkeypatch.setattr(bulk_priority, "_work", (0, 0))
    bulk_priority.rest()
