"""Tells the families without a place that a supplementary round is open: not placed, declined, or missed; and before it ends,
those who have no wish in it.

A family that withdrew gets another message, which says that it can apply again; but none if it cannot, because all
guardians withdrew their consent, and none if it gave up a confirmed place by it: it left the city, or lost the child.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Stage, Wish
from enrollment.applications.lifecycle import DEAD_STAGES, HANDED_IN
from enrollment.applications.notifications import notify_guardians
from enrollment.ground.city_time import format_time
from enrollment.offers.offer_rows import EXPECTED, LIVE, Offer, OfferMove, OfferState
from enrollment.people import consents
from enrollment.people.consents import Consent
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.season.round_rows import Round, RoundKind, get_round
from enrollment.season.rounds import open_for_registration


def tell_round_open(
    session: Session, round_id: uuid.UUID, *, now: dt.datetime, after: uuid.UUID | None = None, limit: int = 1000
) -> uuid.UUID | None:
    """Tell the guardians of the next applications by id: those after `after`, at most `limit`.

    Returns the last application's id, None when all are told or the round is not open.  Each guardian gets one message for
    a child and a round, however often this runs.
    """
    found = get_round(session, round_id)
    if not open_for_registration(found, now):
        return None
    concerned = select(Application.id, Application.stage).where(
        Application.year == found.year,
        Application.level.in_(found.levels),
        (Application.stage.not_in(DEAD_STAGES))
        | (Application.stage == Stage.WITHDRAWN) & _consent_is_given() & ~_left_a_confirmed_place(),
        ~holds_a_place(),
    )
    if after is not None:
        concerned = concerned.where(Application.id > after)
    rows = session.execute(concerned.order_by(Application.id).limit(limit)).all()
    event = f"round_open:{found.id}"
    about = _named(found) | {"until": format_time(found.closes_at)}
    withdrawn = [row.id for row in rows if row.stage == Stage.WITHDRAWN]
    others = [row.id for row in rows if row.stage != Stage.WITHDRAWN]
    notify_guardians(session, "round_open", others, now=now, event=event, **about)
    notify_guardians(session, "round_open_again", withdrawn, now=now, event=event, **about)
    return rows[-1].id if len(rows) == limit else None


def remind_without_wishes(
    session: Session, round_id: uuid.UUID, *, now: dt.datetime, after: uuid.UUID | None = None, limit: int = 1000
) -> uuid.UUID | None:
    """Remind the guardians of the next children without a place that a supplementary round ends and has no wish of theirs.

    Drafts are reminded by `registration_reminders`, and an application on hold cannot be changed.  Each guardian gets one message for a
    child and a closing time, however often this runs.  Returns the last application's id, None when all were looked at.
    """
    found = get_round(session, round_id)
    if found.kind != RoundKind.SUPPLEMENTARY or not open_for_registration(found, now):
        return None
    wished = exists().where(Wish.application_id == Application.id, Wish.round_id == found.id)
    concerned = select(Application.id).where(
        Application.year == found.year,
        Application.level.in_(found.levels),
        Application.stage.in_(HANDED_IN),
        Application.on_hold.is_(False),
        ~holds_a_place(),
        ~wished,
    )
    if after is not None:
        concerned = concerned.where(Application.id > after)
    ids = session.scalars(concerned.order_by(Application.id).limit(limit)).all()
    until = format_time(found.closes_at)
    event = f"wishes_missing:{found.id}:{until}"
    notify_guardians(session, "wishes_missing", ids, now=now, event=event, **_named(found), until=until)
    return ids[-1] if len(ids) == limit else None


def _named(round_: Round) -> dict[str, Any]:
    """What a message says of the round: its name as the city wrote it in Chinese, and its kind for other languages."""
    return {"name": round_.name, "round_kind": round_.kind}


def holds_a_place() -> ColumnElement[bool]:
    """Whether the child has a place this year, or one that waits for an answer."""
    return exists().where(Offer.child_id == Application.child_id, Offer.year == Application.year, Offer.state.in_(LIVE))


def _left_a_confirmed_place() -> ColumnElement[bool]:
    """Whether a confirmed place of the application was given up, as a withdrawal does."""
    return (
        exists()
        .where(Offer.application_id == Application.id, OfferMove.offer_id == Offer.id)
        .where(OfferMove.before.in_(EXPECTED), OfferMove.after == OfferState.DECLINED)
    )


def _consent_is_given() -> ColumnElement[bool]:
    """Whether a guardian of the child consents to the storage of its data, without which nobody can apply again."""
    return (
        exists()
        .where(Guardianship.child_id == Application.child_id, Guardianship.accepted_at.is_not(None))
        .where(Guardian.id == Guardianship.guardian_id)
        .where(Consent.account_id == Guardian.account_id, Consent.kind == consents.CHILD_DATA)
        .where(Consent.withdrawn_at.is_(None))
    )
