"""A watermark for the screen: who looks, and when, drawn behind pages with personal data.

The minute stands in the addresses, so that no browser shows an earlier one.
"""

import re

from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.staff import pages
from portal.staff.navigation import seen_by, this_minute
from portal.web.guards import desk

NOT_KEPT = {"Cache-Control": "no-store"}


@pages.get("/watermark.css")
@desk("staff")
def watermark_style() -> ResponseReturnValue:
    at = request.args.get("at", "")
    drawn = url_for("staff.watermark", at=at if re.fullmatch(r"\d{12}", at) else this_minute())
    style = f'.marked, .marked .card {{ background-image: url("{drawn}") }}\n'
    return Response(style, mimetype="text/css", headers=NOT_KEPT)


@pages.get("/watermark.svg")
@desk("staff")
def watermark() -> ResponseReturnValue:
    drawn = render_template("staff/watermark.svg", text=seen_by())
    return Response(drawn, mimetype="image/svg+xml", headers=NOT_KEPT)
