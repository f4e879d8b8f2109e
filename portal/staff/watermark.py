"""The watermark behind pages with personal data: viewer and time as an SVG background.

The addresses contain the minute, so that no browser shows a cached older watermark.
"""

import re

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.staff import pages
from portal.staff.navigation import current_minute
from portal.web.evidence_files import watermark_text
from portal.web.guards import desk

NOT_KEPT = {"Cache-Control": "no-store"}


@pages.get("/watermark.css")
@desk("staff")
def watermark_style() -> ResponseReturnValue:
    at = request.args.get("at", "")
    drawn = url_for("staff.watermark", at=at if re.fullmatch(r"\d{12}", at) else current_minute())
    style = f'.marked, .marked .card {{ background-image: url("{drawn}") }}\n'
    return Response(style, mimetype="text/css", headers=NOT_KEPT)


@pages.get("/watermark.svg")
@desk("staff")
def watermark() -> ResponseReturnValue:
    drawn = render_template("staff/watermark.svg", text=watermark_text())
    return Response(drawn, mimetype="image/svg+xml", headers=NOT_KEPT)
