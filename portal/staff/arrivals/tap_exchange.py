"""What a tablet at the door sends and asks: its taps, and what colleagues have tapped."""

import datetime as dt
import json
from typing import Any

from flask import abort, jsonify, request
from flask.typing import ResponseReturnValue

from enrollment.offers.arrivals import taps
from enrollment.offers.arrivals.rows import TapAct
from enrollment.offers.arrivals.taps import Tap
from portal.staff import pages
from portal.staff.current_kindergarten import kindergarten_of_page
from portal.text.numbers import whole_number
from portal.text.words import word
from portal.web.csrf import masked_token
from portal.web.forms import parse_uuid
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

MOST_TAPS = 50
"""A tablet sends its taps in parts."""


@pages.get("/arrivals/exchange")
@desk("staff")
def arrival_news() -> ResponseReturnValue:
    """What colleagues tapped in the last `seconds`, and a fresh token with which the tablet can send."""
    seconds = min(max(request.args.get("seconds", 60, whole_number), 0), 24 * 3600)
    moment = clock() - dt.timedelta(seconds=seconds)
    seen = taps.since(db(), moment, by=actor())
    news = [
        {
            "offer": str(each.offer_id), "act": each.act, "done": each.done, "class": each.class_name, "by": each.by,
            "ago": max((clock() - each.tapped_at).total_seconds(), 0),
        }
        for each in seen
    ]  # fmt: skip
    return jsonify({"token": masked_token(), "news": news})


@pages.post("/arrivals/exchange")
@desk("staff")
def take_arrival_taps() -> ResponseReturnValue:
    """Take the taps; the answer says of each that it has come, and why it is kept if it could not take effect."""
    here = kindergarten_of_page()
    given = [tap for tap in map(_tap, _posted()) if tap is not None]
    outcomes = taps.take(db(), given, here.id, request.form.get("year", 0, whole_number), by=actor(), now=clock())
    return jsonify(
        {
            "taken": [
                {"id": str(each.tap_id), "kept": word("tap_kept", each.refusal) if each.refusal else None}
                for each in outcomes
            ]
        }
    )


def _posted() -> list[dict[str, Any]]:
    try:
        posted = json.loads(request.form.get("taps", ""))
    except ValueError:
        abort(400)
    if not isinstance(posted, list) or len(posted) > MOST_TAPS:
        abort(400)
    return [each for each in posted if isinstance(each, dict)]


def _tap(posted: dict[str, Any]) -> Tap | None:
    """The tap as it was sent; None without a usable id or act, which no tablet of ours sends."""
    key, act = parse_uuid(str(posted.get("id"))), posted.get("act")
    if key is None or act not in tuple(TapAct):
        return None
    try:
        waited = dt.timedelta(seconds=float(posted.get("waited") or 0))
    except (TypeError, ValueError, OverflowError):
        waited = dt.timedelta()
    return Tap(
        key,
        TapAct(act),
        parse_uuid(str(posted.get("offer"))),
        done=posted.get("done") is not False,
        class_name=str(posted.get("class") or ""),
        noted=str(posted.get("noted") or ""),
        ago=waited,
        after=parse_uuid(str(posted.get("after"))),
        who=parse_uuid(str(posted.get("who"))),
    )
