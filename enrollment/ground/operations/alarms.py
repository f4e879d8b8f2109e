"""Alarms of the operation: each begins once and ends once, whoever looks and however often."""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base


class AlarmCode(StrEnum):
    DATABASE_AWAY = "database_away"
    QUEUE_AWAY = "queue_away"
    JOBS_LATE = "jobs_late"
    SENDER_STUCK = "sender_stuck"
    CODES_NOT_ENTERED = "codes_not_entered"
    SEALS_LATE = "seals_late"
    BACKUP_OLD = "backup_old"
    CLOCK_JUMPED = "clock_jumped"
    CLOCKS_DIFFER = "clocks_differ"
    DISK_NEARLY_FULL = "disk_nearly_full"
    TRAIL_BROKEN = "trail_broken"
    HEAD_NOT_COPIED = "head_not_copied"


class Alarm(Base):
    """An alarm from `began_at` until `ended_at`; at most one of a code has not ended.  Times are real times, also in the demo."""

    __tablename__ = "alarm"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    code: Mapped[str]
    began_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("code IN ('" + "','".join(AlarmCode) + "')", name="known_code"),
        Index("uq_alarm__one_of_a_code", "code", unique=True, postgresql_where=text("ended_at IS NULL")),
    )


def update_alarms(
    session: Session, raised: Mapping[AlarmCode, dt.datetime], over: Collection[AlarmCode], *, now: dt.datetime
) -> tuple[list[Alarm], list[Alarm]]:
    """Begin the `raised` alarms, with the time since when, and end those that are `over`.

    Returns those that this call began and those that it ended.  A second process that calls it gets nothing.
    """
    began: list[Alarm] = []
    for code, since in raised.items():
        row = {"id": uuid.uuid4(), "code": code, "began_at": since}
        statement = (
            insert(Alarm)
            .values(row)
            .on_conflict_do_nothing(index_elements=["code"], index_where=text("ended_at IS NULL"))
        )
        began += session.scalars(statement.returning(Alarm))
    ending = update(Alarm).where(Alarm.code.in_(over), Alarm.ended_at.is_(None)).values(ended_at=now)
    return began, list(session.scalars(ending.returning(Alarm)))


def open_since(session: Session, code: AlarmCode) -> dt.datetime | None:
    """Since when this alarm holds; None if it does not."""
    return session.scalar(select(Alarm.began_at).where(Alarm.code == code, Alarm.ended_at.is_(None)))


def is_open(code: AlarmCode) -> ColumnElement[bool]:
    """SQL condition: this alarm has not ended."""
    return select(Alarm.id).where(Alarm.code == code, Alarm.ended_at.is_(None)).exists()


def open_alarms(session: Session) -> list[Alarm]:
    return list(session.scalars(select(Alarm).where(Alarm.ended_at.is_(None)).order_by(Alarm.began_at)))
