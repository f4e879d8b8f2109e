"""A new season for a child of an earlier season: one button creates the draft."""

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import returning_families
from portal.parents import pages
from portal.parents.form_pages import season_year
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.post("/children/<uuid:child_id>/begin")
@desk("parents")
def begin_next_season(child_id: uuid.UUID) -> ResponseReturnValue:
    application = returning_families.begin(db(), child_id, season_year(), by=actor(), now=clock())
    flash(_("孩子的信息已经带入，请填写今年的住址、依据和志愿。"))
    return redirect(url_for("parents.application_page", application_id=application.id), 303)
