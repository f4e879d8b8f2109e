"""An official gives the review of an application to another kindergarten."""

import datetime as dt
import uuid
from collections.abc import Iterable

from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Stage
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.review.scope import locked, refuse_while_refusal_is_open


def reassign(
    session: Session,
    application_id: uuid.UUID,
    kindergarten_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
) -> None:
    """Give the review to another kindergarten in an area of the official.  A clerk who had taken it loses it.

    Refuses `only_an_official_reassigns`, `reason_needed` and `reviewer_is_closed` (with `name`).
    """
    application = locked(session, application_id, by=by)
    if not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise Refused("only_an_official_reassigns")
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    target = session.get(Kindergarten, kindergarten_id)
    if target is None or not (by.is_any(Role.CITY_OFFICIAL) or target.area_code in by.areas):
        raise NotFound("kindergarten")
    if target.closed_on is not None and target.closed_on <= today(now):
        raise Refused("reviewer_is_closed", field="target", name=target.name)
    refuse_while_refusal_is_open(session, application_id)
    if application.stage == Stage.IN_REVIEW:
        lifecycle.make(session, application, "release", by=by, now=now, reason=reason)
    before = application.review_kindergarten_id
    application.review_kindergarten_id = kindergarten_id
    audit.record(
        session,
        "reassign",
        "application",
        application_id,
        by=by,
        now=now,
        reason=reason,
        before=str(before),
        after=str(kindergarten_id),
    )
    session.flush()


def reassign_many(
    session: Session,
    application_ids: Iterable[uuid.UUID],
    kindergarten_id: uuid.UUID | None,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
) -> None:
    """`reassign` for several applications: if one is refused, none is changed.

    Also refuses `nothing_chosen` and `kindergarten_not_chosen`.
    """
    chosen = sorted(set(application_ids))
    if not chosen:
        raise Refused("nothing_chosen", field="applications")
    if kindergarten_id is None:
        raise Refused("kindergarten_not_chosen", field="target")
    for application_id in chosen:
        reassign(session, application_id, kindergarten_id, by=by, now=now, reason=reason)
