"""The page of a kindergarten: how many ask for it and how far the last list went, places, way, fee, and its register data."""

import uuid

from flask import Response, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.ground.errors import NotFound
from enrollment.open_days import visits
from enrollment.places import finder
from portal.public import pages
from portal.public.kindergartens import years_with_places
from portal.text.calendar_file import calendar_file
from portal.web.guards import public
from portal.web.page_data.kept_pages import kept
from portal.web.shared_views.finder.kindergarten_page import shown
from portal.web.unit_of_work import clock, db, services

SHOWN = (
    "area", "cut_off", "grade", "held_grade", "kindergarten", "open_day", "open_day_slot", "pool", "programme", "round",
    "run", "service_area",
)  # fmt: skip
"""The tables of the page, beside the catalogue."""


@pages.get("/kindergartens/<code>")
@public
@kept(tables=SHOWN)
def kindergarten_page(code: str) -> ResponseReturnValue:
    kindergarten = finder.kindergarten_of_code(db(), code)
    if kindergarten is None:
        raise NotFound
    return render_template("public/kindergarten.html", own=None, **shown(kindergarten, years_with_places()))


@pages.get("/open-days/<uuid:open_day_id>/<uuid:slot_id>.ics")
@public
def open_day_calendar(open_day_id: uuid.UUID, slot_id: uuid.UUID) -> ResponseReturnValue:
    """One time of an open day for a calendar."""
    open_day = visits.open_day_of(db(), open_day_id)
    slot = next((each for each in open_day.slots if each.id == slot_id), None)
    if slot is None:
        raise NotFound("open_day")
    here, config = open_day.kindergarten, services().config
    written = calendar_file(
        f"{slot.id}@open-days", summary=_("%(name)s开放日", name=here.name),
        location=" ".join(part for part in (here.street, here.address, open_day.meeting_point) if part),
        description="\n".join(
            part for part in (open_day.note, config.public_url + url_for("public.kindergarten_page", code=here.code)) if part
        ),
        begins=slot.begins_at, ends=slot.ends_at, written=clock(), cancelled=open_day.cancelled_at is not None,
    )  # fmt: skip
    return Response(
        written,
        mimetype="text/calendar",
        headers={"Content-Disposition": f'attachment; filename="open-day-{open_day.on_day}.ics"'},
    )
