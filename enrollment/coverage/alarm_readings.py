"""Read receipts of alarms: who of an area's officials first opened the page on which its alarm stands, and when.

An alarm is a share of an area in a target year and a state (`below`, `falling`, `tight`); another state is another alarm.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.coverage.alarm_answers import ShareKind
from enrollment.coverage.alarms import Alarm, AlarmState
from enrollment.ground.accounts import Account, Actor, Role
from enrollment.ground.db import Base


class AlarmReading(Base):
    """An official of the area read the alarm; later readings by the same person change nothing."""

    __tablename__ = "alarm_reading"

    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    share: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    read_at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint("share IN ('" + "','".join(ShareKind) + "')", name="known_share"),
        CheckConstraint("state IN ('" + "','".join(AlarmState) + "')", name="known_state"),
    )


def note(session: Session, alarms: Iterable[Alarm], year: int, *, by: Actor, now: dt.datetime) -> None:
    """Note that this person read these alarms; only officials of the area itself count."""
    mine = [alarm for alarm in alarms if by.is_any(Role.AREA_OFFICIAL) and alarm.line.code in by.areas]
    if not mine:
        return
    rows = [
        {
            "area_code": alarm.line.code, "share": alarm.kind, "year": year, "state": alarm.state,
            "account_id": by.account_id, "read_at": now,
        }
        for alarm in mine
    ]  # fmt: skip
    session.execute(insert(AlarmReading).values(rows).on_conflict_do_nothing())


def first_readings(
    session: Session, alarms: Sequence[Alarm], year: int
) -> dict[tuple[str, str], tuple[str, dt.datetime]]:
    """(name, time) of the first reading of each of these alarms that was read, by area and share."""
    states: dict[tuple[str, str], AlarmState] = {(alarm.line.code, alarm.kind): alarm.state for alarm in alarms}
    found = (
        select(AlarmReading, Account.name)
        .join(Account, Account.id == AlarmReading.account_id)
        .where(AlarmReading.year == year, AlarmReading.area_code.in_({code for code, _kind in states}))
        .order_by(AlarmReading.read_at)
    )
    read: dict[tuple[str, str], tuple[str, dt.datetime]] = {}
    for row, name in session.execute(found):
        key = (row.area_code, row.share)
        if states.get(key) == row.state:
            read.setdefault(key, (name, row.read_at))
    return read
