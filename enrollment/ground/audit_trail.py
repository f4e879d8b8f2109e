"""Reading the audit trail: entries by subject, account and day, newest first; the state of the hash chain."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from enrollment.ground.audit import AuditEntry
from enrollment.ground.city_time import CHENGDU


@dataclass(frozen=True)
class AuditQuery:
    """Search conditions; None means no condition.

    `about` are pairs of subject and id, of which an entry has one; `day` is a day in Chengdu, `before` the number of an
    entry.
    """

    about: tuple[tuple[str, str], ...] | None = None
    subject: str | None = None
    subject_id: str | None = None
    account_id: uuid.UUID | None = None
    day: dt.date | None = None
    before: int | None = None


@dataclass(frozen=True)
class AuditPage:
    """Entries, newest first; `older` is `before` of the next page, None on the last page."""

    items: Sequence[AuditEntry]
    older: int | None


@dataclass(frozen=True)
class ChainStatus:
    """Number of links, digest and time of the last one, and how many entries are not in the chain yet."""

    links: int
    head: bytes | None
    sealed_until: dt.datetime | None
    waiting: int


def find_entries(session: Session, asked: AuditQuery, within: ColumnElement[bool], limit: int = 50) -> AuditPage:
    """The entries among those that the reader may see (`within`)."""
    query = select(AuditEntry).where(within).order_by(AuditEntry.number.desc()).limit(limit + 1)
    if asked.about is not None:
        query = query.where(tuple_(AuditEntry.subject, AuditEntry.subject_id).in_(asked.about))
    if asked.subject:
        query = query.where(AuditEntry.subject == asked.subject)
    if asked.subject_id:
        query = query.where(AuditEntry.subject_id == asked.subject_id)
    if asked.account_id:
        query = query.where(AuditEntry.account_id == asked.account_id)
    if asked.day:
        begins = dt.datetime.combine(asked.day, dt.time(), CHENGDU)
        query = query.where(AuditEntry.at >= begins, AuditEntry.at < begins + dt.timedelta(days=1))
    if asked.before:
        query = query.where(AuditEntry.number < asked.before)
    rows = session.scalars(query).all()
    return AuditPage(rows[:limit], rows[limit - 1].number if len(rows) > limit else None)


def chain_status(session: Session) -> ChainStatus:
    sealed = select(AuditEntry).where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link.desc()).limit(1)
    last = session.scalars(sealed).first()
    waiting = session.scalar(select(func.count()).where(AuditEntry.link.is_(None))) or 0
    return ChainStatus(last.link or 0, last.digest, last.at, waiting) if last else ChainStatus(0, None, None, waiting)
