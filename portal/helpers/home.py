"""The families with a mandate for this helper, and choosing the one to act for."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import mandates
from enrollment.ground.vault import mask
from enrollment.season import openings
from portal.helpers import pages
from portal.web import acting_for
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("", strict_slashes=False)
@desk("helpers")
def home() -> ResponseReturnValue:
    families = []
    for mandate in mandates.live_of_helper(db(), by=actor(), now=clock()):
        on_behalf = mandates.acting_for(db(), mandate.id, by=actor(), now=clock())
        if on_behalf is not None:
            family = acting_for.family_of(mandate, on_behalf)
            families.append({"family": family, "applications": mandates.entered_under(db(), mandate)})
    return render_template(
        "helpers/home.html",
        families=families,
        ended=[
            (acting_for.phone_end(each), each) for each in mandates.ended_by_families(db(), by=actor(), now=clock())
        ],
        here=acting_for.current_family(),
        season=openings.year_to_register(db(), now=clock()),
        masked=mask,
    )


@pages.post("/<uuid:mandate_id>/act")
@desk("helpers")
def act(mandate_id: uuid.UUID) -> ResponseReturnValue:
    here = acting_for.current_family()
    if here is not None and here.mandate.id != mandate_id:
        flash(_("一次只代办一个家庭。请先结束正在代办的。"), "warn")
        return redirect(url_for("helpers.home"), 303)
    mandates.go_on(db(), mandate_id, by=actor(), now=clock())
    acting_for.start(mandate_id)
    return redirect(url_for("parents.home"), 303)


@pages.post("/leave")
@desk("helpers")
def leave() -> ResponseReturnValue:
    """Stop acting for the family; the mandate stays valid, so that a correction needs no second code."""
    acting_for.stop()
    flash(_("已退出这个家庭的申请。"))
    return redirect(url_for("helpers.home"), 303)


@pages.post("/<uuid:mandate_id>/end")
@desk("helpers")
def end(mandate_id: uuid.UUID) -> ResponseReturnValue:
    mandates.end(db(), mandate_id, by=actor(), now=clock())
    acting_for.current_family()  # removes an ended mandate from the session
    flash(_("委托已交还。需要再代办时，请家长重新同意。"))
    return redirect(url_for("helpers.home"), 303)
