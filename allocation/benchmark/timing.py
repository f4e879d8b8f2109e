"""Elapsed time and processor time of a step, and the load by other processes.

``cpu`` is the processor time of this thread. ``waited`` is the time in which the thread was ready but another process had
the core (Linux counts it in ``/proc/thread-self/schedstat``). The rest of the elapsed time the thread was blocked.
"""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SCHEDULER, STATISTICS = Path("/proc/thread-self/schedstat"), Path("/proc/stat")


class Duration(NamedTuple):
    """Seconds; ``waited`` is 0 where the system does not report it."""

    wall: float
    cpu: float
    waited: float


def time_call(step: Callable[[], object]) -> Duration:
    """Call ``step`` once and measure it."""
    waited, cpu, wall = _waited(), time.thread_time(), time.perf_counter()
    step()
    return Duration(time.perf_counter() - wall, time.thread_time() - cpu, _waited() - waited)


def _waited() -> float:
    return int(SCHEDULER.read_text().split()[1]) / 1e9 if SCHEDULER.exists() else 0.0


class MachineLoad:
    """The share of all cores that other processes used since this object was made."""

    def __init__(self) -> None:
        self.load, self.begun = os.getloadavg()[0], time.perf_counter()
        self.busy, self.ours = _busy(), _ours()

    def figures(self) -> dict[str, float | None]:
        """The load average before and now, and the share of all cores that other processes used; ``None`` if not known."""
        all_cores = (os.cpu_count() or 1) * (time.perf_counter() - self.begun)
        busy = _busy()
        used = None if busy is None or self.busy is None else busy - self.busy - (_ours() - self.ours)
        return {
            "load_before": round(self.load, 1),
            "load_after": round(os.getloadavg()[0], 1),
            "share_of_cores_used_by_others": None
            if used is None
            else round(min(1.0, max(0.0, used / all_cores)), 2),  # counted in coarse ticks
        }


def _busy() -> float | None:
    """Seconds of all cores that were not idle and not waiting for a disk; time taken by the hypervisor counts as busy."""
    if not STATISTICS.exists():
        return None
    user, nice, system, _, _, *rest = map(int, STATISTICS.read_text().splitlines()[0].split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _ours() -> float:
    """Processor seconds of this process and of its finished child processes."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
