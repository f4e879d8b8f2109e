"""`/metrics` for Prometheus, on this machine or with `METRICS_TOKEN`.  It holds numbers, and nothing about a person."""

import tempfile
from pathlib import Path

from flask import Response
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from portal.public import pages
from portal.web import clock
from portal.web.guards import for_monitoring
from portal.web.metrics import requests
from portal.web.metrics.state import State
from portal.web.unit_of_work import services


@pages.get("/metrics")
@for_monitoring
def metrics() -> ResponseReturnValue:
    config = services().config
    folders = [folder for folder in (config.backup_folder, Path(tempfile.gettempdir())) if folder is not None]
    state = CollectorRegistry()
    # the real time: a scrape must not need the database, and the moved clock of a demo is not monitored
    state.register(State(services().engine, config.redis_url, folders, clock.real_now()))
    answer = Response(generate_latest(requests.registry()) + generate_latest(state), content_type=CONTENT_TYPE_LATEST)
    answer.headers["Cache-Control"] = "no-store"
    return answer
