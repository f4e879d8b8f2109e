"""Time and outcome of each request, by desk.

Page processes are several: with `PROMETHEUS_MULTIPROC_DIR` each writes its counts to a file of that folder, and whoever is asked
reads all files.
"""

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = Histogram(
    "portal_request_seconds",
    "Seconds from the beginning of a request in the page process to its response",
    ["desk", "outcome"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
NOT_MEASURED = {"static", "public.healthz", "public.metrics"}


def registry() -> CollectorRegistry:
    """The requests of all page processes of this host, or of this one where they share no folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)
    return shared


def _begin() -> None:
    g.request_began = time.perf_counter()


def _measure(response: Response) -> Response:
    if request.endpoint not in NOT_MEASURED and "request_began" in g:
        desk = request.blueprint or "none"
        SECONDS.labels(desk, f"{response.status_code // 100}xx").observe(time.perf_counter() - g.request_began)
    return response


def init(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_measure)
