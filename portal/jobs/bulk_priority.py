"""A long batch steps back for pages, for the database, and for what a person waits for.

Linux weighs whole process sessions against each other where it groups them (autogroup, the default of Debian): the niceness of
a process counts only inside its session.  So the fork of a batch begins a session of its own, and both get the niceness.
"""

import contextlib
import os
import signal
from pathlib import Path

from portal.jobs.process_identity import die_with_parent

NICENESS = 10

GROUP = Path("/proc/self/autogroup")


def begin_session(worker: int) -> None:
    """Make this fork the leader of a new session.  It ends with the worker (its process id), as the members of its session do."""
    os.setsid()
    make_mortal = die_with_parent(signal.SIGKILL)
    if make_mortal is not None:
        make_mortal()
    if os.getppid() != worker:  # it died before
        os._exit(1)


def step_back() -> None:
    """Lower the priority of this process, and of its session."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # a system without groups
        GROUP.write_text(str(NICENESS))
