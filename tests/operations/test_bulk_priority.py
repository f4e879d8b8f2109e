"""The fork of a long batch has a session of its own with a low priority, and ends with its worker."""

import os
import subprocess
import sys

import psutil

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
