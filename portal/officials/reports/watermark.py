"""The watermark behind the reports that show names of children."""

from flask.typing import ResponseReturnValue

from portal.officials import pages
from portal.officials.scope import READERS
from portal.web.guards import desk
from portal.web.shared_views import watermark as shared


@pages.get("/watermark.css")
@desk("officials", *READERS)
def watermark_style() -> ResponseReturnValue:
    return shared.style("officials")


@pages.get("/watermark.svg")
@desk("officials", *READERS)
def watermark() -> ResponseReturnValue:
    return shared.drawing()
