"""The seed of a simulated draw: two officials open the sessions, and simulated witnesses enter the values.

Every step calls the service functions that the pages call.
"""

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping

from sqlalchemy.orm import Session

from allocation.draw_form import TIME_FORMAT, DrawForm
from enrollment.draw.seed import declared_forms, seed_entries, witness_sessions
from enrollment.draw.seed.witness_rows import SeedPart, WitnessOffice
from enrollment.ground.accounts import Actor

BEACON_NAME = "模拟开奖号码（双色球的形式）"
BEACON_GROUPS = (
    {"count": 6, "least": 1, "most": 33, "distinct": True, "order": "sorted"},
    {"count": 1, "least": 1, "most": 16, "distinct": True, "order": "drawn"},
)
CEREMONY = {"kind": "integers", "count": 6, "least": 0, "most": 9, "distinct": False, "order": "drawn"}
VALUES = {SeedPart.CEREMONY: "3 1 6 2 5 4", SeedPart.BEACON: "3 8 14 21 27 30 + 6"}
WITNESSES = (("公证员甲（模拟）", WitnessOffice.NOTARY), ("家长代表乙（模拟）", WitnessOffice.PARENT))


def form(beacon_at: dt.datetime, *, issue: str | None = None) -> DrawForm:
    """Six digits that are drawn in the room, and a lottery that is published at `beacon_at`."""
    beacon = {
        "kind": "integers",
        "groups": list(BEACON_GROUPS),
        "name": BEACON_NAME,
        "issue": issue,
        "published_at": beacon_at.astimezone(dt.UTC).strftime(TIME_FORMAT),
    }
    return DrawForm.parse({"ceremony": CEREMONY, "beacon": beacon})


def declare(session: Session, round_id: uuid.UUID, beacon_at: dt.datetime, *, by: Actor, now: dt.datetime) -> DrawForm:
    """Declare the form of `form` for a round."""
    declared = declared_forms.declare(session, round_id, form(beacon_at), by=by, now=now)
    return declared_forms.parse(declared.form)


def enter(
    session: Session,
    round_id: uuid.UUID,
    officials: tuple[Actor, Actor],
    *,
    values: Mapping[SeedPart, str] = VALUES,
    now: dt.datetime,
) -> None:
    """Let two witnesses enter each part."""
    first, second = officials
    for part, value in values.items():
        for name, office in WITNESSES:
            opened, token = witness_sessions.request(
                session, round_id, part, name=name, office=office, by=first, now=now
            )
            code = witness_sessions.approve(session, opened.id, by=second, now=now)
            browser = secrets.token_urlsafe(16)
            seed_entries.open_with_code(session, token, code, browser=browser, account_id=None, now=now)
            seed_entries.enter(session, token, value, browser=browser, now=now)
