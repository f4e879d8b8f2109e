"""Taps of a tablet at the door.  The tablet keeps them until they have come here; each counts once.

A tap is never sent back: what cannot take effect is kept with the reason, to be matched by a person.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.ground import audit, constraint_errors
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers.arrivals import checks, classes, presence
from enrollment.offers.arrivals.door import Door, at_my_door, lock_at_my_door
from enrollment.offers.arrivals.rows import PRESENCE, ArrivalTap, Check, TapAct, topic
from enrollment.places import scope

NOT_FOUND, NOTED, FAULTY = "tap_child_unknown", "tap_noted", "tap_not_possible"
"""Codes of taps that are kept: the child is not at this kindergarten; it was only noted; the database refused it."""

OLDEST = dt.timedelta(days=30)
LONGEST_NOTE = 200


@dataclass(frozen=True)
class Tap:
    """A tap as the tablet sends it; `ago` is how long it has waited there, by the tablet's own clock.

    `after` is the tap of the same child and topic that the tablet made before this one; `who` is the account that was
    signed in when the finger tapped, as the tablet says.
    """

    id: uuid.UUID
    act: TapAct
    offer_id: uuid.UUID | None = None
    done: bool = True
    class_name: str = ""
    noted: str = ""
    ago: dt.timedelta = dt.timedelta()
    after: uuid.UUID | None = None
    who: uuid.UUID | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a tap: `refusal` is None if it has taken effect, otherwise why it is kept."""

    tap_id: uuid.UUID
    refusal: str | None


def take(
    session: Session, taps: Sequence[Tap], kindergarten_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime
) -> list[Outcome]:
    """Store each tap once, in their order, and let it take effect.  A tap that came before has the outcome of then.

    `kindergarten_id` and `year` are those of the page, in the actor's scope (otherwise NotFound).  They hold for taps
    without a child; a tap of a child stands under the kindergarten of its place.
    """
    here = scope.kindergarten_in_scope(session, kindergarten_id, by=by).id
    lock_at_my_door(session, {tap.offer_id for tap in taps if tap.offer_id is not None}, by=by)
    classes.lock(session, {tap.class_name.strip() for tap in taps if tap.class_name.strip()}, year, by=by)
    return [Outcome(tap.id, _take_one(session, tap, here, year, by=by, now=now)) for tap in taps]


def _take_one(
    session: Session, tap: Tap, kindergarten_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime
) -> str | None:
    tapped_at = _tapped_at(session, tap, now)
    door = _my_door(session, tap.offer_id, by=by)
    refusal = None if door else (NOTED if tap.act == TapAct.NOTED else NOT_FOUND)
    row = {
        "id": tap.id, "kindergarten_id": door.kindergarten_id if door else kindergarten_id,
        "year": door.year if door else year, "offer_id": tap.offer_id if door else None, "act": tap.act, "done": tap.done, "class_name": tap.class_name.strip()[:20] or None,
        "noted": tap.noted.strip()[:LONGEST_NOTE] or None, "tapped_at": tapped_at, "received_at": now,
        "account_id": by.account_id, "refusal": refusal,
    }  # fmt: skip
    stored = insert(ArrivalTap).values(row).on_conflict_do_nothing(index_elements=["id"]).returning(ArrivalTap.id)
    if session.scalar(stored) is None:
        return session.scalar(select(ArrivalTap.refusal).where(ArrivalTap.id == tap.id))
    _record_other_sender(session, tap, by=by, now=now)
    if refusal is None:
        made = session.get_one(ArrivalTap, tap.id)
        made.refusal = refusal = _effect(session, made, by=by, now=now)
        session.flush()
    if refusal is not None:
        audit.record(session, "keep_tap", "arrival_tap", tap.id, by=by, now=now, act_tapped=tap.act, code=refusal)
    return refusal


def _record_other_sender(session: Session, tap: Tap, *, by: Actor, now: dt.datetime) -> None:
    """The tap of a colleague who had signed in on this tablet before: the trail tells who tapped, beside who sent it."""
    if tap.who in (None, by.account_id) or session.get(Account, tap.who) is None:
        return
    audit.record(session, "send_tap_of_colleague", "arrival_tap", tap.id, by=by, now=now, tapped_by=str(tap.who))


def _tapped_at(session: Session, tap: Tap, now: dt.datetime) -> dt.datetime:
    """When the finger tapped, as far as the time on the way lets us know, but never before the tap that it follows.

    A tick and its undoing come in two requests; where the first was on its way for longer, it would else seem to be the later.
    """
    tapped_at = now - min(max(tap.ago, dt.timedelta()), OLDEST)
    if tap.after is None:
        return tapped_at
    acts = PRESENCE if tap.act in PRESENCE else (tap.act,)
    same = (ArrivalTap.id == tap.after) & (ArrivalTap.offer_id == tap.offer_id) & ArrivalTap.act.in_(acts)
    earlier = session.scalar(select(ArrivalTap.tapped_at).where(same))
    return tapped_at if earlier is None else max(tapped_at, earlier + dt.timedelta(microseconds=1))


def _my_door(session: Session, offer_id: uuid.UUID | None, *, by: Actor) -> Door | None:
    if offer_id is None:
        return None
    try:
        return at_my_door(session, offer_id, by=by)
    except NotFound:
        return None


def _effect(session: Session, tap: ArrivalTap, *, by: Actor, now: dt.datetime) -> str | None:
    """Let a tap of a known child take effect.  Returns the code of what stands against it; then nothing is changed."""
    try:
        with session.begin_nested():
            _carry_out(session, tap, by=by, now=now)
    except Refused as refused:
        return refused.code
    except IntegrityError as fault:
        violation = constraint_errors.refusal_of(fault)
        return violation.code if violation is not None else FAULTY
    return None


def _carry_out(session: Session, tap: ArrivalTap, *, by: Actor, now: dt.datetime, class_name: str = "") -> None:
    if tap.offer_id is None:
        raise NotFound("offer")
    if tap.act == TapAct.NOTED:
        raise Refused(NOTED)
    if tap.act in PRESENCE:
        room = class_name or tap.class_name or ""
        presence.carry_out(session, tap, tap.offer_id, class_name=room, by=by, now=now)
    else:
        at_my_door(session, tap.offer_id, by=by, lock=True)
        checks.apply_newest(session, tap.offer_id, Check(tap.act), by=by, now=now)


@dataclass(frozen=True)
class Seen:
    """A tap that has taken effect, for the tablets of colleagues."""

    offer_id: uuid.UUID | None
    act: str
    done: bool
    class_name: str | None
    tapped_at: dt.datetime
    by: str


def since(session: Session, moment: dt.datetime, *, by: Actor) -> list[Seen]:
    """What colleagues have tapped at the actor's kindergartens since a moment, in order, and the actor has not overtaken."""
    rows = session.execute(
        select(
            ArrivalTap.offer_id, ArrivalTap.act, ArrivalTap.done, ArrivalTap.class_name, ArrivalTap.tapped_at,
            Account.name, ArrivalTap.account_id,
        )
        .join(Account, Account.id == ArrivalTap.account_id)
        .where(ArrivalTap.kindergarten_id.in_(by.kindergartens), ArrivalTap.received_at > moment)
        .where(ArrivalTap.offer_id.is_not(None), or_(ArrivalTap.refusal.is_(None), ArrivalTap.matched))
        .order_by(ArrivalTap.tapped_at, ArrivalTap.id)
    )  # fmt: skip
    seen = [
        (Seen(each.offer_id, each.act, each.done, each.class_name, each.tapped_at, each.name), each.account_id)
        for each in rows
    ]
    own = {(each.offer_id, topic(each.act)): each.tapped_at for each, who in seen if who == by.account_id}
    theirs = [each for each, who in seen if who != by.account_id]
    return [one for one in theirs if one.tapped_at >= own.get((one.offer_id, topic(one.act)), one.tapped_at)]


def to_match(session: Session, kindergarten_ids: Sequence[uuid.UUID], year: int) -> list[ArrivalTap]:
    """The taps of these kindergartens that are kept and not settled, the oldest first.  The caller knows the scope."""
    kept = select(ArrivalTap).where(
        ArrivalTap.kindergarten_id.in_(kindergarten_ids),
        ArrivalTap.year == year,
        ArrivalTap.refusal.is_not(None),
        ArrivalTap.settled_at.is_(None),
    )
    return list(session.scalars(kept.order_by(ArrivalTap.tapped_at, ArrivalTap.id)))


def match(
    session: Session,
    tap_id: uuid.UUID,
    offer_id: uuid.UUID | None,
    *,
    class_name: str = "",
    by: Actor,
    now: dt.datetime,
) -> None:
    """Let a kept tap take effect for its child, or for the child that a person found for it; `class_name` is another class.

    Refuses what stands against it (the tap stays), and `tap_settled`.
    """
    tap = _kept(session, tap_id, by=by)
    child = offer_id or tap.offer_id
    if child is None:
        raise Refused("tap_needs_a_child", field="offer_id")
    at_my_door(session, child, by=by, lock=True)
    tap.offer_id, tap.matched = child, True
    session.flush()
    if tap.act != TapAct.NOTED:
        _carry_out(session, tap, by=by, now=now, class_name=class_name)
    _settle(session, tap, by=by, now=now)


def set_aside(session: Session, tap_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """A kept tap needs nothing more.  Refuses `tap_settled`."""
    _settle(session, _kept(session, tap_id, by=by), by=by, now=now)


def _kept(session: Session, tap_id: uuid.UUID, *, by: Actor) -> ArrivalTap:
    tap = session.get(ArrivalTap, tap_id, with_for_update=True, populate_existing=True)
    if tap is None or tap.refusal is None:
        raise NotFound("arrival_tap")
    scope.kindergarten_in_scope(session, tap.kindergarten_id, by=by)
    if tap.settled_at is not None:
        raise Refused("tap_settled")
    return tap


def _settle(session: Session, tap: ArrivalTap, *, by: Actor, now: dt.datetime) -> None:
    tap.settled_at, tap.settled_by = now, by.account_id
    session.flush()
    audit.record(session, "settle_tap", "arrival_tap", tap.id, by=by, now=now, code=tap.refusal)
