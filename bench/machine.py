"""The machine that a bench runs on: what is printed with every table, and how processor time is read."""

import datetime as dt
import os
import resource
import time
from collections.abc import Callable, Iterable
from typing import Any

import psutil

SAMPLES = 1000
"""So often a sample of a server's processor time is taken anew before it is believed that its processes never rest."""


class Machine:
    """Describes the machine and the time since this object was made.

    `ours` gives the processor seconds of what the bench started and what still runs, such as its PostgreSQL; this process and its
    ended child processes are counted without it.  What is left of the busy time of all cores was taken by others.
    """

    def __init__(self, ours: Callable[[], float] = lambda: 0.0):
        self._ours = ours
        self._at, self._began, self._load = dt.datetime.now(dt.UTC), time.perf_counter(), os.getloadavg()[0]
        self._busy, self._own = busy(), own() + ours()

    def description(self, share_of_others: float | None = None) -> dict[str, Any]:
        """Date, cores, memory, load and the share of all processor time that others took, ready for JSON.

        A bench that knows the share from its own rounds gives it.
        """
        if share_of_others is None:
            passed = (time.perf_counter() - self._began) * (os.cpu_count() or 1)
            share_of_others = (busy() - self._busy - (own() + self._ours() - self._own)) / passed
        return {
            "at": self._at.isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 2**30),
            "load_before": round(self._load, 1),
            "load_after": round(os.getloadavg()[0], 1),
            "share_of_others": round(min(1.0, max(0.0, share_of_others)), 3),
        }


def machine_line(description: dict[str, Any]) -> str:
    """The description as one line."""
    at = dt.datetime.fromisoformat(description["at"])
    return (
        f"{at:%Y-%m-%d %H:%M} UTC, {description['cores']} cores, {description['memory_gb']} GB,"
        f" load {description['load_before']} to {description['load_after']},"
        f" others took {description['share_of_others']:.0%} of the processor time"
    )


def beside_goals(rows: Iterable[tuple[str, object, str]]) -> str:
    """Lines of a name, its figure and its goal."""
    return "\n".join(f"{name:48} {value!s:>10}   {goal}".rstrip() for name, value, goal in rows)


def busy() -> float:
    """Seconds of all cores that were neither idle nor waiting for a disk; what the hypervisor took is busy too."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq + times.steal


def own() -> float:
    """Processor seconds of this process and of the programs that it ran to their end, such as pgbench."""
    ran = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ran.ru_utime + ran.ru_stime


def of_server(pid: int) -> float:
    """Processor seconds of a server, its child processes, and those that have ended and that it has waited for.

    A child's time moves to its parent when the parent has waited for it.  A sample in which that happened would count the child twice
    or not at all, so it is taken anew until the children and the parent's time of ended ones were the same before and after.
    """
    server = psutil.Process(pid)
    for _ in range(SAMPLES):
        before = _children(server)
        try:
            total = sum(times.user + times.system for times in (each.cpu_times() for each in [server, *before[0]]))
        except psutil.NoSuchProcess:
            continue
        if _children(server) == before:
            return total + before[1]
    raise RuntimeError(f"the processes of {pid} change without a pause")


def _children(server: psutil.Process) -> tuple[list[psutil.Process], float]:
    """The children of a server, and the processor seconds of those that have ended."""
    children = sorted(server.children(), key=lambda each: each.pid)
    times = server.cpu_times()
    return children, times.children_user + times.children_system
