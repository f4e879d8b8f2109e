"""A long batch steps back for pages, for the database, and for what a person waits for.

Linux weighs whole process sessions against each other where it groups them (autogroup, the default of Debian): the niceness of
a process counts only inside its session.  So the fork of a batch begins a session of its own, and both get the niceness.

Niceness alone still gives a batch each moment in which a page waits for the disk, and the page then waits until the batch is
put aside.  So a batch that nobody waits for (the notices of a city, the estimates of chances) also rests between two pieces of its
work while others want the processors, which it sees by how long it had to wait for one itself.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

from portal.jobs.process_identity import die_with_parent

NICENESS = 15

BUSY = 0.25
"""The machine is busy when a batch waited for a processor for more than this part of the time that it had one."""

REST, LONGEST_REST = 3.0, 1.0
"""How long a rest is for each second of work, and at most, in seconds.  A batch on a busy machine takes four times as long."""

GROUP = Path("/proc/self/autogroup")
WAITED = Path("/proc/self/schedstat")
"""Nanoseconds that this thread had a processor, and that it waited for one."""

_work: tuple[int, int] | None = None
"""What `WAITED` told when the piece began that is being done; None in a process that does not step back."""


def begin_session(worker: int) -> None:
    """Make this fork the leader of a new session.  It ends with the worker (its process id), as the members of its session do."""
    os.setsid()
    make_mortal = die_with_parent(signal.SIGKILL, parent=worker)
    if make_mortal is not None:
        make_mortal()


def step_back() -> None:
    """Lower the priority of this process, and of its session; from now on it takes its rests."""
    global _work
    _work = _times()
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # a system without groups
        GROUP.write_text(str(NICENESS))


def rest() -> None:
    """Called between two pieces of work: rest if the machine is busy.  A process that has not stepped back never does."""
    global _work
    if _work is None:
        return
    had, waited = (now - before for now, before in zip(_times(), _work, strict=True))
    if waited > BUSY * had:
        time.sleep(min(REST * had / 1e9, LONGEST_REST))
    _work = _times()


def _times() -> tuple[int, int]:
    try:
        had, waited, _slices = WAITED.read_text().split()
    except (OSError, ValueError):  # a system that does not tell
        return 0, 0
    return int(had), int(waited)
