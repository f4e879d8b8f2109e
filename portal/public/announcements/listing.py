"""The list of announcements, and one of them with what it said before."""

import uuid

from flask import render_template, request
from flask.typing import ResponseReturnValue

from enrollment.announcements import announcements
from portal.public import pages
from portal.text.area_names import area_names
from portal.web.guards import public
from portal.web.unit_of_work import clock, db


@pages.get("/announcements")
@public
def announcement_list() -> ResponseReturnValue:
    """All that is public; with `area`, that of one area and of the whole city."""
    names = area_names(db())
    area = request.args.get("area") if request.args.get("area") in names else None
    return render_template(
        "public/announcements.html",
        told=announcements.published(db(), now=clock(), areas=[area] if area else None),
        area=area,
        area_names=names,
    )


@pages.get("/announcements/<uuid:announcement_id>")
@public
def announcement_page(announcement_id: uuid.UUID) -> ResponseReturnValue:
    return render_template(
        "public/announcement.html",
        told=announcements.public_one(db(), announcement_id, now=clock()),
        area_names=area_names(db()),
    )
