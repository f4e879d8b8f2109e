"""Report about movements of a school year: who came, left, changed class or kindergarten, and who wrote it down when."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_change_rows import RollTransfer, TransferState
from enrollment.places.roll_rows import BY_A_MOVE, RollChild, RollClass
from enrollment.reports.tables.on_roll import OF_A_CLASS
from enrollment.reports.tables.report import PLACE, Column, Kind, Place, Question, Report, Row, Width

Written = tuple[dt.datetime | None, str | None]
"""When a movement was written down, and by whom; nothing for a list that was imported."""

NOT_WRITTEN: Written = (None, None)


@dataclass(frozen=True)
class _Entry:
    """A child's time in a class, and what the audit trail says of its beginning and its end."""

    place: Place
    level: str
    class_name: str
    child: RollChild
    began: Written
    ended: Written

    def row(self, movement: str, *, since: str | None, to: str | None, on: dt.date, written: Written) -> Row:
        reason = self.child.leave_reason if movement in ("out", "transfer_out") else None
        return (self.place, self.level, self.class_name, self.child.name, movement, since, to, reason, on, *written)


@dataclass(frozen=True)
class _Transfer:
    """A finished transfer: the class that the child came to, and the names of both kindergartens."""

    to_class_id: uuid.UUID | None
    moves_on: dt.date
    out_of: str
    into: str
    written: Written


def _entries(question: Question) -> list[_Entry]:
    """The entries of the year's classes.  A promotion moves everybody, so what it began and did not end is left out, as is
    an entry that was countered on its first day."""
    moved = or_(RollChild.promotion_id.is_(None), RollChild.left_on.is_not(None))
    found = (
        select(PLACE, RollClass.level, RollClass.name, RollChild)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollClass.school_year == question.school_year, question.here(), moved)
        .where(or_(RollChild.left_on.is_(None), RollChild.left_on > RollChild.entered_on))
        .order_by(Kindergarten.sort_key, RollChild.entered_on, RollChild.id)
    )
    rows = question.session.execute(found).all()
    began = _written(question, [row.RollChild.id for row in rows], ("enter_roll", "change_roll_class"))
    ended = _written(question, [row.RollChild.id for row in rows], ("leave_roll",))
    return [
        _Entry(place, level, name, child, began.get(child.id, NOT_WRITTEN), ended.get(child.id, NOT_WRITTEN))
        for place, level, name, child in rows
    ]


def _written(question: Question, children: Collection[uuid.UUID], acts: Collection[str]) -> dict[uuid.UUID, Written]:
    """The newest entry of the audit trail for each of these entries of the roll."""
    found = (
        select(AuditEntry.subject_id, AuditEntry.at, Account.name)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .where(AuditEntry.subject == "roll_child", AuditEntry.subject_id.in_([str(each) for each in children]))
        .where(AuditEntry.act.in_(acts))
        .order_by(AuditEntry.number)
    )
    return {uuid.UUID(child): (at, name) for child, at, name in question.session.execute(found)}


def _transfers(question: Question) -> dict[uuid.UUID, _Transfer]:
    """The finished transfers of the year, by the entry that they ended."""
    out, into = aliased(Kindergarten), aliased(Kindergarten)
    first = dt.date(question.school_year, 9, 1)
    found = (
        select(RollTransfer, out.name, into.name, Account.name)
        .join(out, out.id == RollTransfer.from_id)
        .join(into, into.id == RollTransfer.to_id)
        .outerjoin(Account, Account.id == RollTransfer.ended_by)
        .join(Kindergarten, or_(Kindergarten.id == RollTransfer.from_id, Kindergarten.id == RollTransfer.to_id))
        .where(question.here(), and_(RollTransfer.state == TransferState.DONE, RollTransfer.moves_on >= first))
    )
    return {
        transfer.roll_child_id: _Transfer(transfer.to_class_id, transfer.moves_on, from_, to, (transfer.ended_at, name))
        for transfer, from_, to, name in question.session.execute(found)
    }


def _movements(question: Question) -> list[Row]:
    """A change of class is one movement.  Its two entries, and those of a transfer, are found by class, day and child."""
    entries, transfers = _entries(question), _transfers(question)
    changed = {
        (each.place.id, _who(each.child), each.child.left_on): each
        for each in entries
        if each.child.leave_reason == "class_change"
    }
    came = {(each.to_class_id, each.moves_on): each for each in transfers.values()}
    rows = [row for each in entries for row in _of(each, changed, came, transfers)]
    return sorted(rows, key=lambda row: (row[0].name, row[8], row[2], row[3]))


def _who(child: RollChild) -> bytes | str:
    return child.id_index or child.name


def _of(entry: _Entry, changed: dict, came: dict, transfers: dict[uuid.UUID, _Transfer]) -> Iterable[Row]:
    child = entry.child
    before = changed.get((entry.place.id, _who(child), child.entered_on))
    there = came.get((child.class_id, child.entered_on))
    if before is not None:
        yield entry.row(
            "class_change", since=before.class_name, to=entry.class_name, on=child.entered_on, written=entry.began
        )
    elif child.promotion_id is None:
        movement, since = ("transfer_in", there.out_of) if there is not None else ("in", None)
        written = there.written if there is not None else entry.began
        yield entry.row(movement, since=since, to=entry.class_name, on=child.entered_on, written=written)
    if child.left_on is None or child.leave_reason in BY_A_MOVE:
        return
    gone = transfers.get(child.id)
    movement, to, written = ("transfer_out", gone.into, gone.written) if gone else ("out", None, entry.ended)
    yield entry.row(movement, since=entry.class_name, to=to, on=child.left_on, written=written)


MOVEMENTS = Report(
    "movements",
    (
        *OF_A_CLASS, Column("child", names=True), Column("movement", Kind.CODE, "report_movement"),
        Column("moved_from"), Column("moved_to"), Column("reason", Kind.CODE, "leave_reason"), Column("on", Kind.DAY),
        Column("recorded_at", Kind.MOMENT), Column("recorded_by"),
    ),
    _movements,
    widest=Width.AREA,
)  # fmt: skip
