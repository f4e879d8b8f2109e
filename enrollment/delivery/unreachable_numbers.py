"""Numbers that do not receive: remembered, so that nothing is sent in vain, and so that the family is told.

A notice to such a number is not tried for `REST`; then one is tried again.  A one-time code is always tried, because the
person who waits for it may have corrected the cause.  A delivered message or a used code proves that the number receives.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection

from sqlalchemy import LargeBinary, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.accounts import Account
from enrollment.ground.db import Base
from enrollment.ground.outbox import DeliveryError
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.retention import Moment, delete_rows

REST = dt.timedelta(days=7)


class UnreachableNumber(Base):
    """A number, by its blind index, that the gateway or a receipt called unreachable; `reason` is a `DeliveryError`."""

    __tablename__ = "unreachable_number"

    phone_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    reason: Mapped[str]
    since: Mapped[dt.datetime]
    last_at: Mapped[dt.datetime]


UNREACHABLE = Read(UnreachableNumber, UnreachableNumber.phone_index)
"""What is known against a number."""


def remember(session: Session, found: dict[bytes, DeliveryError], *, now: dt.datetime) -> None:
    """Remember the numbers of `found`, which maps the index of each to the reason."""
    if not found:
        return
    rows = [{"phone_index": key, "reason": found[key], "since": now, "last_at": now} for key in sorted(found)]
    statement = insert(UnreachableNumber).values(rows)
    again = {"reason": statement.excluded.reason, "last_at": statement.excluded.last_at}
    session.execute(statement.on_conflict_do_update(index_elements=["phone_index"], set_=again))


def forget(session: Session, indexes: Collection[bytes]) -> None:
    """These numbers have received a message."""
    if indexes:
        session.execute(delete(UnreachableNumber).where(UnreachableNumber.phone_index.in_(sorted(indexes))))


def of_account(session: Session, account: Account) -> UnreachableNumber | None:
    """What is known against the number of an account."""
    if account.phone_index is None:
        return None
    return UNREACHABLE.one(session, account.phone_index)


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, UnreachableNumber, UnreachableNumber.last_at < moment.years_ago(1), limit=limit)
