"""Phone changes of the official's areas that wait for a second person; an official has to confirm after a stop."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications.application_rows import Application
from enrollment.applications.guardian_access import phone_changes
from portal.officials import pages
from portal.officials.scope import DECIDERS
from portal.web import phone_messages
from portal.web.guards import desk
from portal.web.unit_of_work import actor, db


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
    phone_messages.confirm_at_desk(db(), change_id, by=actor())
    flash(_("已确认。旧号码会收到短信；孩子的每位监护人也会收到消息。"))
    return redirect(url_for("officials.phone_changes"), 303)
