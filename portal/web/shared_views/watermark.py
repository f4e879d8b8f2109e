"""The watermark behind pages with personal data, at the desks of staff and officials: viewer and time as an SVG background.

The addresses contain the minute, so that no browser shows a cached older watermark.  `desk` is the name of the blueprint.
"""

import re

from flask import Response, render_template, request, url_for

from enrollment.ground.city_time import CHENGDU
from portal.web.evidence_files import watermark_text
from portal.web.unit_of_work import clock

NOT_KEPT = {"Cache-Control": "no-store"}


def current_minute() -> str:
    return f"{clock().astimezone(CHENGDU):%Y%m%d%H%M}"


def style(desk: str) -> Response:
    at = request.args.get("at", "")
    drawn = url_for(f"{desk}.watermark", at=at if re.fullmatch(r"\d{12}", at) else current_minute())
    rule = f'.marked, .marked .card {{ background-image: url("{drawn}") }}\n'
    return Response(rule, mimetype="text/css", headers=NOT_KEPT)


def drawing() -> Response:
    drawn = render_template("parts/watermark.svg", text=watermark_text())
    return Response(drawn, mimetype="image/svg+xml", headers=NOT_KEPT)
