"""The screen of a hall: one address for each scene of a draw, which shows no child and, until the hour, no result."""

import json
import uuid

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from enrollment.draw.seed.witness_rows import SeedPart
from enrollment.ground.errors import NotFound
from enrollment.results import hall
from enrollment.results.hall import Hall, Scene
from enrollment.season import rounds
from enrollment.season.rounds import Round
from portal.letters import pictures
from portal.officials import pages
from portal.officials.scope import READERS
from portal.web.guards import desk
from portal.web.unit_of_work import clock, db, services


def _round(round_id: uuid.UUID) -> Round:
    round_ = rounds.get_round(db(), round_id)
    if round_.kind not in rounds.KINDS_WITH_WISHES:
        raise NotFound
    return round_


@pages.get("/rounds/<uuid:round_id>/projector")
@desk("officials", *READERS)
def projector(round_id: uuid.UUID) -> ResponseReturnValue:
    """The scene of what has to be done next."""
    at = hall.of_round(db(), _round(round_id), now=clock()).at
    return redirect(url_for("officials.projector_scene", round_id=round_id, scene=at), 303)


@pages.get("/rounds/<uuid:round_id>/projector/<scene>")
@desk("officials", *READERS)
def projector_scene(round_id: uuid.UUID, scene: str) -> ResponseReturnValue:
    round_ = _round(round_id)
    shown = hall.of_round(db(), round_, now=clock())
    if scene not in shown.scenes:
        abort(404)
    light = request.args.get("tone") == "light"
    return render_template(
        "officials/projector.html",
        hall=shown,
        scene=Scene(scene),
        light=light,
        tone={"tone": "light"} if light else {},
        before=shown.beside(Scene(scene), -1),
        after=shown.beside(Scene(scene), 1),
        parts=_parts(shown),
        left=_left(shown),
        picture=pictures.qr(f"{services().config.public_url}{url_for('public.draw_page', round_id=round_id)}"),
    )


def _parts(shown: Hall) -> str:
    """The parts of the seed, for the screen that computes it once more; empty until all of them are there."""
    if not shown.seed or shown.draw is None or shown.draw.draw_form is None:
        return ""
    values = {part: standing.value for part, standing in shown.standings.items()}
    return json.dumps(
        {
            "commitment": shown.draw.commitment,
            "form": shown.draw.draw_form,
            "beacon": values.get(SeedPart.BEACON, ""),
            "ceremony": values.get(SeedPart.CEREMONY, ""),
        }
    )


def _left(shown: Hall) -> str:
    """The time to the announced hour: hours, minutes and seconds."""
    hour = shown.announcement.hour
    seconds = max(int((hour - clock()).total_seconds()), 0) if hour is not None else 0
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
