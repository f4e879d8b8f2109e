"""Messages that did not arrive, and whether the gateway works."""

import datetime as dt

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.ground import audit
from enrollment.ground.operations import alarms
from enrollment.ground.operations.alarms import AlarmCode
from enrollment.ground.phones import mask_phone
from enrollment.reports import undelivered
from portal.officials import pages
from portal.officials.scope import READERS, area_names
from portal.officials.years import chosen_year
from portal.text.numbers import whole_number
from portal.text.words import word
from portal.web import clock as web_clock
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

SILENT = dt.timedelta(seconds=45)


@pages.get("/messages")
@desk("officials", *READERS)
def messages() -> ResponseReturnValue:
    found = undelivered.failed(
        db(), chosen_year(), by=actor(), now=clock(), page=request.args.get("page", 1, whole_number)
    )
    audit.record(db(), "view", "undelivered", chosen_year(), by=actor(), now=clock())
    silent = [
        lane
        for lane, status in undelivered.lanes(db())
        if status is None or status.seen_at < web_clock.real_now() - SILENT
    ]
    down = [status for _of, status in undelivered.lanes(db()) if status is not None and status.down_since]
    return render_template(
        "officials/messages.html",
        found=found,
        counts=undelivered.counts(db(), now=clock()),
        silent_words=_("、").join(word("message_lane", lane) for lane in silent),
        down=down[0] if down and not silent else None,
        codes_lost_since=alarms.open_since(db(), AlarmCode.CODES_NOT_ENTERED),
        mask_phone=mask_phone,
        area_names=area_names(),
    )
