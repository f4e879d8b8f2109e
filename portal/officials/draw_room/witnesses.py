"""Sessions of witnesses: one official requests a session and hands over its link, another approves it and reads out its code."""

import uuid

import segno
from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from enrollment.draw import requests
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.seed import witness_sessions
from enrollment.draw.seed.witness_rows import SeedPart, WitnessOffice, WitnessSession
from enrollment.ground.accounts import Role
from enrollment.season import rounds
from portal.officials import pages
from portal.officials.draw_room.draw_forms import WitnessForm
from portal.officials.draw_room.draws import room_page
from portal.officials.forms import ActForm
from portal.web.forms import refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


@pages.post("/rounds/<uuid:round_id>/witnesses/<part>")
@desk("officials", Role.CITY_OFFICIAL)
def request_witness(round_id: uuid.UUID, part: str) -> ResponseReturnValue:
    if part not in tuple(SeedPart):
        abort(404)
    form = WitnessForm(prefix=f"{part}_")
    if form.validate_on_submit():
        with refusals_in(form):
            opened, token = witness_sessions.request(
                db(),
                round_id,
                SeedPart(part),
                name=form.name.data or "",
                office=WitnessOffice(form.office.data),
                reason=form.reason.data or "",
                by=actor(),
                now=clock(),
            )
            link = f"{services().config.public_url}{url_for('public.witness_page', token=token)}"
            return render_template(
                "officials/witness_link.html",
                round=rounds.get_round(db(), round_id),
                opened=opened,
                link=link,
                picture=_picture(link),
            )
    return room_page(round_id, form)


@pages.post("/witnesses/<uuid:session_id>/approve")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def approve_witness(session_id: uuid.UUID) -> ResponseReturnValue:
    round_id, form = _round_of(session_id), ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            code = witness_sessions.approve(db(), session_id, by=actor(), now=clock())
            return render_template(
                "officials/witness_code.html",
                round=rounds.get_round(db(), round_id),
                opened=db().get_one(WitnessSession, session_id),
                code=code,
            )
    return room_page(round_id, form)


@pages.post("/witnesses/<uuid:session_id>/revoke")
@desk("officials", Role.CITY_OFFICIAL)
def revoke_witness(session_id: uuid.UUID) -> ResponseReturnValue:
    round_id, form = _round_of(session_id), ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            witness_sessions.revoke(db(), session_id, by=actor(), now=clock())
            flash(_("这次见证已作废，链接和口令不能再用。"))
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return room_page(round_id, form)


@pages.post("/rounds/<uuid:round_id>/seed")
@desk("officials", Role.CITY_OFFICIAL, step_up=True)
def set_seed(round_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            requests.set_seed(db(), round_id, by=actor(), now=clock())
            return redirect(url_for("officials.draw_room", round_id=round_id), 303)
    return room_page(round_id, form)


def _round_of(session_id: uuid.UUID) -> uuid.UUID:
    opened = db().get(WitnessSession, session_id)
    if opened is None:
        abort(404)
    return db().get_one(Snapshot, db().get_one(Draw, opened.draw_id).snapshot_id).round_id


def _picture(link: str) -> Markup:
    """The QR code of a link as an SVG element, for a phone that stands before the screen."""
    return Markup(segno.make(link, error="m", micro=False).svg_inline(scale=5, omitsize=True))  # noqa: S704
