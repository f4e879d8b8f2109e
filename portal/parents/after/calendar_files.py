"""Dates of a family as calendar files: when its answer to a return or an offer is due, the supplementary round, the arrival days."""

import uuid

from flask import Response, abort

from portal.parents import application_status, pages
from portal.parents.after import page_values
from portal.parents.form_pages import application_of
from portal.text.calendar_file import calendar_file
from portal.web.guards import desk
from portal.web.unit_of_work import clock, db


@pages.get("/applications/<uuid:application_id>/calendar/<step>.ics")
@desk("parents")
def calendar_of(application_id: uuid.UUID, step: str) -> Response:
    application = application_of(application_id)
    status = application_status.status_of(db(), application, now=clock())
    found = page_values.appointment(db(), application, status, step, now=clock())
    if found is None:
        abort(404)
    content = calendar_file(
        found.uid, summary=found.title, location="", description=found.text, begins=found.begins, ends=found.ends,
        written=clock(), reminds=True,
    )  # fmt: skip
    # inline: the phone opens it in its calendar instead of storing it
    headers = {"Content-Disposition": f'inline; filename="{step}.ics"', "Cache-Control": "no-store"}
    return Response(content, content_type="text/calendar; charset=utf-8", headers=headers)
