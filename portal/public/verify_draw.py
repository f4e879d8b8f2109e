"""The page on which anybody checks a published draw in the own browser, with the second implementation."""

from flask import abort, render_template

from enrollment.draw import published, rooms
from portal.guards import public
from portal.public import pages
from portal.work import db


@pages.get("/draws/<uuid:round_id>/verify")
@public
def verify_draw(round_id):
    room = rooms.of_round(db(), round_id)
    if not room.snapshots:
        abort(404)
    run = published.result_run(db(), round_id)
    return render_template("public/verify_draw.html", room=room, bundle=run is not None and bool(run.bundle))
