"""Who takes the processors while families come to a whole portal, and what a city would need of them."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.web import load, paths
from bench.web.ground import Server

REQUESTS = 250_000 * 4


@dataclass
class Processors:
    """Seconds of processor time while the families come: of the portal with its database and of the client; `share_of_others`
    is the part of all processor time that went to other processes.

    The portal may be another one at the end, and its processes too: what ended ones took is counted with the others.
    """

    portal: float = 0.0
    client: float = 0.0
    share_of_others: float = 0.0


@contextlib.contextmanager
def watched(city: Any) -> Iterator[Processors]:
    """`city` has the `portal` that runs, perhaps another one at the end."""

    def of_portal() -> float:
        processes = []
        with contextlib.suppress(psutil.Error):
            processes = [psutil.Process(city.portal.process.pid), *city.portal.family()]
        total = 0.0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def busy() -> float:
        times = psutil.cpu_times()
        return times.user + times.system + times.nice + getattr(times, "steal", 0)

    spent = Processors()
    began, portal, client, everybody = time.monotonic(), of_portal(), time.process_time(), busy()
    yield spent
    passed = (time.monotonic() - began) * psutil.cpu_count()
    spent.portal, spent.client = max(of_portal() - portal, 0.0), time.process_time() - client
    spent.share_of_others = max(0.0, (busy() - everybody - spent.portal - spent.client) / passed)


def of_hello(folder: Path) -> float:
    """Requests a second of a bare Flask application under as many page processes, in the seconds before the rehearsal."""
    server = Server("bench.twins.hello:app", dict(os.environ), folder / "hello.log")
    try:
        load.run(server.port, paths.public_pages("/"), 1)
        return load.run(server.port, paths.public_pages("/"), 3).rate
    finally:
        server.stop()


def for_a_city(served: int, best: float, spent: Processors, hello: float) -> dict[str, float]:
    """What was measured beside what 250,000 families with four requests each need."""
    cost = 1000 * spent.portal / max(served, 1)
    return {
        "best ten seconds, requests a second": best,
        "of a bare Flask page": best / hello,
        "processor time of a request, ms": cost,
        "requests a second of these processors": 1000 * psutil.cpu_count() / cost if cost else 0.0,
        "250,000 × 4 within an hour, a second": REQUESTS / 3600,
        "250,000 × 4 within 15 minutes, a second": REQUESTS / 900,
        "share of processor taken by the client": spent.client / (spent.client + spent.portal),
        "share of processor taken by others": spent.share_of_others,
    }
