"""Transfers 转园: a child moves to another kindergarten on a day; both sides agree, within ten working days.

Either side asks, which is its agreement.  When the other agrees, the child leaves one roll and enters the other on the same day.
The class is one of the school year of that day, and a child that changed its class meanwhile goes on from there.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.identity import index_of
from enrollment.ground.vault import normalise
from enrollment.places import roll, roll_checks, scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_change_rows import RollTransfer, TransferState
from enrollment.places.roll_changes.transfer_entries import check_class, entry_of, first_day_of

WORKING_DAYS = 10
"""The time that the national rules give for a transfer."""

MOST_DAYS_AHEAD = 60


@dataclass(frozen=True)
class TransferLine:
    """A transfer as a kindergarten or an official sees it.  `waits_here`: the reader's side has not agreed yet."""

    transfer: RollTransfer
    child: RollChild
    old_class: RollClass
    from_kindergarten: Kindergarten
    to_kindergarten: Kindergarten
    waits_here: bool
    is_out: bool


def ask_to_leave(
    session: Session,
    child_id: uuid.UUID,
    *,
    to_code: str,
    moves_on: dt.date,
    due_on: dt.date,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> RollTransfer:
    """The child's kindergarten asks another one to take it.  Refuses `kindergarten_unknown`, `left_already`, and `_new`'s."""
    child = roll.lock_child_in_scope(session, child_id, by=by)
    if child.left_on is not None:
        raise Refused("left_already")
    known = select(Kindergarten).where(Kindergarten.code == to_code.strip(), Kindergarten.closed_on.is_(None))
    there = session.scalars(known).one_or_none()
    here = session.get_one(RollClass, child.class_id).kindergarten_id
    if there is None or there.id == here:
        raise Refused("kindergarten_unknown", field="to_code")
    transfer = _new(session, child, here, there.id, moves_on, due_on, reason, by=by, now=now)
    transfer.out_by, transfer.out_at = by.account_id, now
    session.flush()
    return transfer


def ask_to_take(
    session: Session,
    class_id: uuid.UUID,
    *,
    id_number: str,
    name: str,
    moves_on: dt.date,
    due_on: dt.date,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> RollTransfer:
    """A kindergarten asks to take a child from the roll on which it is, which is not told.

    Number and name have to be those of one child; refuses `transfer_no_match` for any other pair, and what `check_class` refuses.
    """
    there = roll.class_in_scope(session, class_id, by=by, lock=True)
    child = roll.current_roll_entry(session, index_of(id_number)) if id_number.strip() else None
    here = session.get_one(RollClass, child.class_id).kindergarten_id if child is not None else None
    if child is None or here is None or here == there.kindergarten_id or normalise(child.name) != normalise(name):
        raise Refused("transfer_no_match", field="id_number")
    check_class(session, there, child, first_day_of(child, moves_on, now=now))
    transfer = _new(session, child, here, there.kindergarten_id, moves_on, due_on, reason, by=by, now=now)
    transfer.to_class_id, transfer.in_by, transfer.in_at = there.id, by.account_id, now
    session.flush()
    return transfer


def agree(
    session: Session, transfer_id: uuid.UUID, *, class_id: uuid.UUID | None = None, by: Actor, now: dt.datetime
) -> RollTransfer:
    """The side that has not agreed yet agrees; the taking side names the class.  Then the child moves.

    Refuses `transfer_is_over`, `nothing_to_agree`, `class_missing`, `left_already`, and what `check_class` refuses.
    """
    transfer = _lock_open(session, transfer_id, by=by)
    waits_out = transfer.out_at is None and _is_of(session, transfer.from_id, by)
    waits_in = transfer.in_at is None and _is_of(session, transfer.to_id, by)
    if not waits_out and not waits_in:
        raise Refused("nothing_to_agree")
    if waits_out:
        transfer.out_by, transfer.out_at = by.account_id, now
    else:
        if class_id is None:
            raise Refused("class_missing", field="to_class")
        there = roll.class_in_scope(session, class_id, by=by, lock=True)
        if there.kindergarten_id != transfer.to_id:
            raise NotFound
        transfer.to_class_id, transfer.in_by, transfer.in_at = there.id, by.account_id, now
    audit.record(session, "agree_transfer", "roll_child", transfer.roll_child_id, by=by, now=now)
    _move(session, transfer, by=by, now=now)
    return transfer


def refuse(session: Session, transfer_id: uuid.UUID, *, remark: str, by: Actor, now: dt.datetime) -> RollTransfer:
    """End an open transfer without a move: the side that asked takes it back, the other one refuses it with a reason."""
    transfer = _lock_open(session, transfer_id, by=by)
    if not remark.strip():
        raise Refused("reason_missing", field="remark")
    asked_here = (transfer.out_at is not None and _is_of(session, transfer.from_id, by)) or (
        transfer.in_at is not None and _is_of(session, transfer.to_id, by)
    )
    transfer.state = TransferState.WITHDRAWN if asked_here else TransferState.REFUSED
    transfer.remark, transfer.ended_by, transfer.ended_at = remark.strip(), by.account_id, now
    session.flush()
    audit.record(session, "end_transfer", "roll_child", transfer.roll_child_id, by=by, now=now)
    return transfer


def waiting_query(by: Actor) -> Select[int, dt.date]:
    """SELECT the number of open transfers that wait for the word of the actor's side, and the day by which the first is due."""
    mine = select(Kindergarten.id).where(scope.scope_condition(by))
    leaves = and_(RollTransfer.out_at.is_(None), RollTransfer.from_id.in_(mine))
    comes = and_(RollTransfer.in_at.is_(None), RollTransfer.to_id.in_(mine))
    waits = (RollTransfer.state == TransferState.OPEN, or_(leaves, comes))
    return select(func.count().label("number"), func.min(RollTransfer.due_on).label("due")).where(*waits)


def listing(
    session: Session,
    *,
    by: Actor,
    kindergarten_id: uuid.UUID | None = None,
    only_open: bool = True,
    transfer_id: uuid.UUID | None = None,
) -> list[TransferLine]:
    """Transfers from or to the kindergartens of the actor's scope, the earliest due first; with an id that one alone."""
    out, into = aliased(Kindergarten), aliased(Kindergarten)
    mine = select(Kindergarten.id).where(scope.scope_condition(by))
    if kindergarten_id is not None:
        mine = mine.where(Kindergarten.id == kindergarten_id)
    found = (
        select(RollTransfer, RollChild, RollClass, out, into)
        .join(RollChild, RollChild.id == RollTransfer.roll_child_id)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(out, out.id == RollTransfer.from_id)
        .join(into, into.id == RollTransfer.to_id)
        .where(or_(RollTransfer.from_id.in_(mine), RollTransfer.to_id.in_(mine)))
        .order_by(RollTransfer.due_on, RollTransfer.asked_at)
    )
    if only_open:
        found = found.where(RollTransfer.state == TransferState.OPEN)
    if transfer_id is not None:
        found = found.where(RollTransfer.id == transfer_id)
    ids = set(session.scalars(mine))
    lines = []
    for transfer, child, old_class, here, there in session.execute(found):
        waits = (transfer.out_at is None and here.id in ids) or (transfer.in_at is None and there.id in ids)
        lines.append(TransferLine(transfer, child, old_class, here, there, waits, here.id in ids))
    return lines


def line_in_scope(session: Session, transfer_id: uuid.UUID, *, by: Actor) -> TransferLine:
    found = listing(session, by=by, only_open=False, transfer_id=transfer_id)
    if not found:
        raise NotFound
    return found[0]


def _new(
    session: Session,
    child: RollChild,
    from_id: uuid.UUID,
    to_id: uuid.UUID,
    moves_on: dt.date,
    due_on: dt.date,
    reason: str,
    *,
    by: Actor,
    now: dt.datetime,
) -> RollTransfer:
    """Refuses `transfer_is_open`, `transfer_day_impossible`, `reason_missing`."""
    if not reason.strip():
        raise Refused("reason_missing", field="reason")
    first, last = max(today(now), child.entered_on), today(now) + dt.timedelta(days=MOST_DAYS_AHEAD)
    if not first <= moves_on <= last:
        raise Refused("transfer_day_impossible", field="moves_on", first=first.isoformat(), last=last.isoformat())
    same = RollChild.id == child.id
    if child.id_index is not None:
        same = or_(same, RollChild.id_index == child.id_index)
    there = (
        select(RollTransfer.id)
        .join(RollChild, RollChild.id == RollTransfer.roll_child_id)
        .where(same, RollTransfer.from_id == from_id, RollTransfer.state == TransferState.OPEN)
    )
    if session.scalar(there.limit(1)) is not None:
        raise Refused("transfer_is_open")
    transfer = RollTransfer(
        roll_child_id=child.id, from_id=from_id, to_id=to_id, moves_on=moves_on, due_on=due_on, reason=reason.strip(),
        asked_by=by.account_id, asked_at=now,
    )  # fmt: skip
    session.add(transfer)
    session.flush()
    audit.record(session, "ask_transfer", "roll_child", child.id, by=by, now=now)
    return transfer


def _lock_open(session: Session, transfer_id: uuid.UUID, *, by: Actor) -> RollTransfer:
    transfer = session.scalars(
        select(RollTransfer).where(RollTransfer.id == transfer_id).with_for_update()
    ).one_or_none()
    if transfer is None or not (_is_of(session, transfer.from_id, by) or _is_of(session, transfer.to_id, by)):
        raise NotFound
    if transfer.state != TransferState.OPEN:
        raise Refused("transfer_is_over")
    return transfer


def _is_of(session: Session, kindergarten_id: uuid.UUID, by: Actor) -> bool:
    found = select(Kindergarten.id).where(Kindergarten.id == kindergarten_id, scope.scope_condition(by))
    return session.scalar(found) is not None


def _move(session: Session, transfer: RollTransfer, *, by: Actor, now: dt.datetime) -> None:
    """Both agreed: end the old entry and begin the new one, on the agreed day or today if that is over."""
    child = entry_of(session, transfer, lock=True)
    if child.left_on is not None:
        raise Refused("left_already")
    there = session.get_one(RollClass, transfer.to_class_id)
    day = first_day_of(child, transfer.moves_on, now=now)
    check_class(session, there, child, day)
    roll_checks.check_school_year(there.school_year, by=by, now=now)
    child.left_on, child.leave_reason = day, "transferred"
    transfer.roll_child_id = child.id
    transfer.state, transfer.ended_by, transfer.ended_at = TransferState.DONE, by.account_id, now
    session.flush()
    session.add(
        RollChild(
            class_id=there.id,
            name=child.name,
            id_number=child.id_number,
            id_index=child.id_index,
            born=child.born,
            entered_on=day,
        )
    )
    session.flush()
