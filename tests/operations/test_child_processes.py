"""A crashed child process is restarted after a growing wait, and one line gives the reason."""

import signal
import subprocess
import sys
import time

import psutil

from portal.operations.child_processes import Child, end_session, members_of
from tests.operations.serving import ROOT, eventually


def crashing(tmp_path) -> Child:
    child = Child("portal", [sys.executable, "-c", "raise ValueError('half a page')"], log=tmp_path / "portal.log")
    child.start()
    return child


def test_a_crash_is_logged_with_its_reason_and_the_waits_grow(tmp_path):
    child, said, waits = crashing(tmp_path), [], []
    for _ in range(3):
        child.process.wait()
        now = time.monotonic()
        child.restart_if_due(now, said.append)
        assert not child.running, "not at once"
        waits.append(child.due - now)
        child.restart_if_due(child.due, said.append)
        assert child.process is not None
    child.process.wait()
    assert waits == sorted(set(waits))
    assert len(said) == 3
    assert "exit code 1: ValueError: half a page" in said[0]


def test_a_child_that_ignores_the_signal_is_killed(tmp_path):
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    child = Child("deaf", [sys.executable, "-c", deaf], log=tmp_path / "deaf.log")
    child.start()
    eventually(lambda: "deaf" in child.log.read_text())
    pid = child.process.pid
    child.terminate()
    child.kill_after(time.monotonic() + 0.2)
    assert not psutil.pid_exists(pid)


def test_descendants_of_a_dead_child_are_killed(tmp_path):
    """Also those who moved to a process group of their own, as RQ's work-horses do."""
    script = "import os, time\nif os.fork() == 0:\n    os.setpgrp()\nprint('here', flush=True)\ntime.sleep(600)"
    child = Child("worker", [sys.executable, "-c", script], log=tmp_path / "worker.log")
    child.start()
    eventually(lambda: child.log.read_text().count("here") == 2)
    assert len(members_of(child.process.pid)) == 2
    child.process.send_signal(signal.SIGKILL)
    child.process.wait()
    assert len(members_of(child.process.pid)) == 1
    end_session(child.process.pid)
    assert members_of(child.process.pid) == []


def test_a_child_dies_with_its_parent(tmp_path):
    script = (
        "import sys; from pathlib import Path; from portal.operations.child_processes import Child\n"
        "child = Child('sleeper', ['sleep', '600'], log=Path(sys.argv[1])); child.start()\n"
        "print(child.process.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "log")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert psutil.pid_exists(pid)
        parent.kill()
    eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def test_tru09_a_log_is_put_aside_before_it_fills_the_disk(tmp_path):
    child = Child("talking", [sys.executable, "-c", "import time\nwhile 1: print('x' * 999, flush=True); time.sleep(.01)"],
                  log=tmp_path / "talking.log")  # fmt: skip
    child.start()
    for _ in range(5):
        eventually(lambda: child.log.stat().st_size > 5000)
        child.rotate_log(largest=5000)
        assert child.log.stat().st_size < 5000
    child.rotate_log(largest=10**9)
    child.terminate()
    child.kill_after(time.monotonic() + 5)
    assert sorted(each.name for each in tmp_path.glob("talking*")) == [
        "talking.log",
        *(f"talking.log.{n}" for n in (1, 2, 3)),
    ]
    assert all(5000 < each.stat().st_size < 100_000 for each in tmp_path.glob("talking.log.*"))


ORPHAN = """
import os, time
from portal.jobs.process_identity import die_with_parent
parent = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == parent:  # it is slow, and its parent is killed meanwhile
    time.sleep(0.01)
die_with_parent(15, parent=parent)()
print("lives")
"""


def test_a_child_whose_parent_died_before_it_was_mortal_ends_at_once():
    """The kernel tells only of a death that is still to come."""
    ended = subprocess.run(
        [sys.executable, "-c", ORPHAN], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert (ended.stdout, ended.stderr) == ("", "")
