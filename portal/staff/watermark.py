"""A watermark for the screen: who looks, and when, drawn behind pages with personal data."""

from flask import Response, render_template

from portal.guards import desk
from portal.staff import pages
from portal.staff.rooms import seen_by


@pages.get("/watermark.svg")
@desk("staff")
def watermark():
    drawn = render_template("staff/watermark.svg", text=seen_by())
    return Response(drawn, mimetype="image/svg+xml", headers={"Cache-Control": "no-store"})
