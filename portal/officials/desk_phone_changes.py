"""Phone changes of the official's areas that wait for a second person; an official has to confirm after a stop."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import phone_changes
from portal.officials import pages
from portal.officials.scope import DECIDERS
from portal.web import phone_messages
from portal.web.forms import refusals_told
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


@pages.get("/cases/phone-changes", endpoint="phone_changes")
@desk("officials", *DECIDERS)
def phone_change_list() -> ResponseReturnValue:
    waiting = phone_changes.waiting_at_desk(db(), by=actor())
    return render_template(
        "officials/phone_changes.html",
        waiting=[(change, db().get_one(Application, change.application_id)) for change in waiting],
    )


@pages.post("/cases/phone-changes/<uuid:change_id>")
@desk("officials", *DECIDERS, step_up=True)
def confirm_phone_change(change_id: uuid.UUID) -> ResponseReturnValue:
    with refusals_told():
        flash(*phone_messages.outcome_words(phone_messages.confirm_at_desk(db(), change_id, by=actor())))
    return redirect(url_for("officials.phone_changes"), 303)


@pages.post("/cases/phone-changes/<uuid:change_id>/refuse")
@desk("officials", *DECIDERS)
def refuse_phone_change(change_id: uuid.UUID) -> ResponseReturnValue:
    flash(*phone_messages.refusal_words(phone_changes.refuse_at_desk(db(), change_id, by=actor(), now=clock())))
    return redirect(url_for("officials.phone_changes"), 303)
