"""Possible duplicates: the pages of this desk."""

import uuid

from flask.typing import ResponseReturnValue

from portal.staff import pages
from portal.web.guards import desk
from portal.web.shared_views import duplicate_views

DESK = "staff"


@pages.get("/duplicates")
@desk("staff")
def duplicate_list() -> ResponseReturnValue:
    return duplicate_views.list_page(DESK)


@pages.get("/duplicates/<uuid:hint_id>")
@desk("staff")
def duplicate(hint_id: uuid.UUID) -> ResponseReturnValue:
    return duplicate_views.pair_page(DESK, hint_id)


@pages.post("/duplicates/<uuid:hint_id>")
@desk("staff")
def judge_duplicate(hint_id: uuid.UUID) -> ResponseReturnValue:
    return duplicate_views.judge(DESK, hint_id)


@pages.post("/duplicates/<uuid:hint_id>/unmask")
@desk("staff", step_up=True)
def unmask_duplicate(hint_id: uuid.UUID) -> ResponseReturnValue:
    return duplicate_views.reveal(DESK, hint_id)


@pages.post("/duplicates/documents/<uuid:document_id>")
@desk("staff")
def look_at_document(document_id: uuid.UUID) -> ResponseReturnValue:
    return duplicate_views.look_at_document(DESK, document_id)
