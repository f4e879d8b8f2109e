"""The watermark behind the pages of staff with personal data."""

from flask.typing import ResponseReturnValue

from portal.staff import pages
from portal.web.guards import desk
from portal.web.shared_views import watermark as shared


@pages.get("/watermark.css")
@desk("staff")
def watermark_style() -> ResponseReturnValue:
    return shared.style("staff")


@pages.get("/watermark.svg")
@desk("staff")
def watermark() -> ResponseReturnValue:
    return shared.drawing()
