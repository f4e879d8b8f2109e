"""A clerk's verdict about a hint.  It is kept with the values it rests on, and is not asked for again while they stand."""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.review.plausibility.hints import hints_of
from enrollment.review.plausibility.rows import HintVerdict, PlausibilityVerdict
from enrollment.review.scope import find

LONGEST_NOTE = 100


def judge(
    session: Session, application_id: uuid.UUID, key: str, *, verdict: str, note: str, by: Actor, now: dt.datetime
) -> PlausibilityVerdict:
    """Record a verdict about the hint with this key.  A later verdict counts instead; the earlier one stays.

    Refuses `verdict_missing`, and `hint_has_changed` if the values are no longer those that the clerk saw.
    """
    application = find(session, application_id, by=by)
    if verdict not in tuple(HintVerdict):
        raise Refused("verdict_missing", field="verdict")
    hint = next((each for each in hints_of(session, application) if each.key == key), None)
    if hint is None:
        raise Refused("hint_has_changed")
    given = PlausibilityVerdict(
        application_id=application.id,
        hint=hint.hint,
        basis=hint.basis,
        verdict=verdict,
        note=note.strip()[:LONGEST_NOTE] or None,
        account_id=by.account_id,
        at=now,
    )
    session.add(given)
    session.flush()
    audit.record(session, "judge_hint", "application", application.id, by=by, now=now, hint=hint.hint, verdict=verdict)
    return given
