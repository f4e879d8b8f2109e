"""The public page with the head of the audit trail of each day, and each head as a file for `flask audit verify --against`."""

import datetime as dt

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from enrollment.ground.audit_chain import heads
from portal.public import pages
from portal.text.numbers import large_number
from portal.web.guards import public
from portal.web.unit_of_work import db

DAYS = 31


@pages.get("/audit-heads")
@public
def audit_heads() -> ResponseReturnValue:
    before = request.args.get("before", None, large_number)
    found = heads.of_days(db(), before=before, limit=DAYS)
    older = found[-1].number if found and found[-1].number > 1 else None
    return render_template("public/audit_heads.html", found=found, older=older, first_page=before is None)


@pages.get("/audit-heads/<day>.json")
@public
def audit_head(day: str) -> ResponseReturnValue:
    """The head of one day, as a file."""
    try:
        found = heads.of_day(db(), dt.date.fromisoformat(day))
    except ValueError:
        found = None
    if found is None:
        abort(404)
    return Response(
        found.as_json(),
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="audit-head-{found.day}.json"'},
    )
