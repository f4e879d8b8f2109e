"""Photos that a phone sends by itself: one in a request, under the key that it got when it was taken.

The phone keeps a photo until an answer says that it has come (`static/js/photo_queue.js`).  The key makes a second sending
harmless; a refusal is told in words, and the photo stays on the phone.
"""

import uuid

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.eligibility import evidence
from enrollment.ground.files.upload_limits import MOST_AT_ONCE
from portal.parents import pages
from portal.parents.form_pages import LATE, application_of
from portal.parents.papers.evidence import PagesForm, paper_values
from portal.web.forms import parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import accepts_uploads


@pages.post("/applications/<uuid:application_id>/evidence/photos")
@desk("parents")
@accepts_uploads(MOST_AT_ONCE)
def send_photo(application_id: uuid.UUID) -> ResponseReturnValue:
    """Add a photo to a paper, or put it in the place of another page (`instead_of`)."""
    application_of(application_id)
    form, old = PagesForm(), parse_uuid(request.form.get("instead_of"))
    contents = form.contents()
    if form.validate_on_submit() and contents:
        with refusals_in(form):
            document = form.document.data or ""
            if old is None:
                evidence.add_pages(db(), application_id, document, contents, by=actor(), now=clock())
            else:
                evidence.replace_page(db(), application_id, old, contents[0], by=actor(), now=clock())
            arrived = url_for("parents.paper_card", application_id=application_id, document=document)
            return redirect(arrived, 303)
    said = [text for texts in form.errors.values() for text in texts]
    late = form.refused in LATE
    return jsonify({"refused": said[0] if said else _("照片没有收全，请再送一次。"), "late": late}), 422


@pages.get("/applications/<uuid:application_id>/evidence/photos/<document>")
@desk("parents")
def paper_card(application_id: uuid.UUID, document: str) -> ResponseReturnValue:
    """The card of one paper as it stands now, and the head of the page above it."""
    application = application_of(application_id)
    values = {"application": application} | paper_values(application)
    shown = document in values["names"]
    parts = {
        "card": render_template("parents/paper_parts.html", part="card", name=document, **values) if shown else "",
        "head": render_template("parents/paper_parts.html", part="head", name=None, **values),
    }
    answer = jsonify(parts)
    answer.headers["Cache-Control"] = "no-store"
    return answer
