"""Correction requests of the kindergarten: the list, one request with its paper beside the values, and a finding of one's own."""

import uuid

from flask import Response
from flask.typing import ResponseReturnValue

from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from portal.staff import pages
from portal.web.guards import desk
from portal.web.shared_views import correction_desk
from portal.web.upload_fields import accepts_uploads

DESK = "staff"


@pages.get("/corrections", endpoint="corrections")
@desk("staff")
def correction_list() -> ResponseReturnValue:
    return correction_desk.list_page(DESK)


@pages.get("/corrections/<uuid:request_id>")
@desk("staff")
def correction(request_id: uuid.UUID) -> ResponseReturnValue:
    return correction_desk.request_page(DESK, request_id)


@pages.post("/corrections/<uuid:request_id>")
@desk("staff")
def decide_correction(request_id: uuid.UUID) -> ResponseReturnValue:
    return correction_desk.decide(DESK, request_id)


@pages.get("/corrections/<uuid:request_id>/papers/<uuid:page_id>")
@desk("staff")
def correction_paper(request_id: uuid.UUID, page_id: uuid.UUID) -> Response:
    return correction_desk.paper(request_id, page_id)


@pages.get("/applications/<uuid:application_id>/corrections/new")
@desk("staff")
def new_correction(application_id: uuid.UUID) -> ResponseReturnValue:
    return correction_desk.new_page(DESK, application_id)


@pages.post("/applications/<uuid:application_id>/corrections/new")
@desk("staff")
@accepts_uploads(MOST_AT_ONCE)
def request_correction(application_id: uuid.UUID) -> ResponseReturnValue:
    return correction_desk.request_one(DESK, application_id)
