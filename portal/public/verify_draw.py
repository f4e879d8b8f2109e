"""Verification of a published draw in the browser, with the second implementation of the engine."""

import uuid

from flask import abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.draw.run_rows import Run
from enrollment.results import published_runs
from portal.public import pages
from portal.text.numbers import whole_number
from portal.web.guards import public
from portal.web.shared_views import verify_views
from portal.web.unit_of_work import db


@pages.get("/draws/<uuid:round_id>/verify")
@public
def verify_draw(round_id: uuid.UUID) -> ResponseReturnValue:
    back = url_for("public.draw_page", round_id=round_id)
    return verify_views.verify_page(round_id, _run(round_id), back=back, back_text=_("公开抽签"))


def _run(round_id: uuid.UUID) -> Run | None:
    """The run that `?run=` selects: a published replay by its number, else the round's result."""
    return published_runs.numbered_run(db(), round_id, request.args.get("run", type=whole_number))


@pages.get("/draws/<uuid:round_id>/names.json")
@public
def names_of_draw(round_id: uuid.UUID) -> ResponseReturnValue:
    """Names for the codes of the public file: kindergartens and pools, no personal names."""
    run = _run(round_id)
    if run is None:
        abort(404)
    answer = jsonify(published_runs.names(db(), run))
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer
