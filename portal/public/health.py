"""`/healthz`, for load balancers and monitoring.  The response names unhealthy parts; the log has the reasons."""

import functools
import time

import structlog
from flask import jsonify
from flask.typing import ResponseReturnValue

from portal.operations import doctor
from portal.operations.doctor import Finding
from portal.public import pages
from portal.web.guards import public
from portal.web.unit_of_work import services

log = structlog.get_logger()


AS_OF = 1.0
"""Seconds for which a process gives the same answer: each examination opens four connections, and anybody may ask."""


@functools.lru_cache(maxsize=1)
def _lately(database_url: str, redis_url: str, moment: int) -> list[Finding]:
    findings = doctor.examine(database_url, redis_url)
    for finding in findings:
        if not finding.well:
            log.warning("unwell", part=finding.part, fault=finding.fault)
    return findings


@pages.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    config = services().config
    # a test looks again at once
    moment = time.monotonic_ns() if config.testing else int(time.monotonic() / AS_OF)
    findings = _lately(config.database_url, config.redis_url, moment)
    well = doctor.is_well(findings)
    body = {"well": well, "parts": {finding.part: finding.well for finding in findings}}
    answer = jsonify(body)
    answer.status_code = 200 if well else 503
    answer.headers["Cache-Control"] = "no-store"
    return answer
