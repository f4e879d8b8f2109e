"""`/healthz`, for load balancers and monitoring.  The response names unhealthy parts; the log has the reasons."""

import structlog
from flask import jsonify
from flask.typing import ResponseReturnValue

from portal.operations import doctor
from portal.public import pages
from portal.web.guards import public
from portal.web.unit_of_work import services

log = structlog.get_logger()


@pages.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    findings = doctor.examine(services().config.database_url, services().config.redis_url)
    well = doctor.is_well(findings)
    for finding in findings:
        if not finding.well:
            log.warning("unwell", part=finding.part, fault=finding.fault)
    body = {"well": well, "parts": {finding.part: finding.well for finding in findings}}
    answer = jsonify(body)
    answer.status_code = 200 if well else 503
    answer.headers["Cache-Control"] = "no-store"
    return answer
