"""Verification of a published draw in the browser, with the second implementation of the engine."""

import uuid

from flask import abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from enrollment.draw import draw_rooms
from enrollment.draw.run_rows import Run
from enrollment.results import published_runs
from portal.public import pages
from portal.text.words import table, word
from portal.web.guards import public
from portal.web.unit_of_work import db

SAID = ("verify_progress", "verify_step", "verify_wrong", "verify_bad", "verify_said")
"""Word groups that the page's script looks up by code."""
PREFIXED = {"reason": "reason_", "verify_why": "why_", "level": "level_", "round_kind": "round_"}
"""Word groups that the script looks up by this prefix and the code."""


@pages.get("/draws/<uuid:round_id>/verify")
@public
def verify_draw(round_id: uuid.UUID) -> ResponseReturnValue:
    room = draw_rooms.of_round(db(), round_id)
    if not room.snapshots:
        abort(404)
    run = _run(round_id)
    return render_template(
        "public/verify_draw.html",
        room=room,
        run=run,
        size=published_runs.bundle_size(db(), run) if run else 0,
        commitments=published_runs.commitments(db(), room.round.year),
        words=_words(),
    )


def _run(round_id: uuid.UUID) -> Run | None:
    """The run that `?run=` selects: a published replay by its number, else the round's result."""
    return published_runs.numbered_run(db(), round_id, request.args.get("run", type=int))


def _words() -> dict[str, str]:
    found = {code: word(group, code) for group in SAID for code in table()[group]}
    return found | {prefix + code: word(group, code) for group, prefix in PREFIXED.items() for code in table()[group]}


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
