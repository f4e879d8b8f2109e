"""What goes by itself after its time: sessions, codes, texts, answers given once, jobs; and the end of the audit chain.

Each verb deletes one batch and says how many rows of which table; nothing means that nothing is left to delete.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from enrollment.ground import upkeep
from enrollment.ground.audit import AuditEntry
from enrollment.ground.db import Base
from enrollment.ground.jobs import Job
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.ground.sign_in import DoneOnce, OneTimeCode, WebSession
from enrollment.ground.signatures import Signature

DAY = dt.timedelta(days=1)
THIRTY_DAYS = 30 * DAY


@dataclass(frozen=True)
class Moment:
    """`now` is the house's time, `real` the wall's: sessions live by the wall, also where a demo's clock was turned."""

    now: dt.datetime
    real: dt.datetime

    def years_ago(self, years: int) -> dt.datetime:
        """The same day that many years earlier; 29 February becomes 28."""
        try:
            return self.now.replace(year=self.now.year - years)
        except ValueError:
            return self.now.replace(year=self.now.year - years, day=28)


def rows(session: Session, table: type[Base], *conditions: ColumnElement[bool], limit: int) -> Counter[str]:
    """Delete at most `limit` rows of a table that fit."""
    key = tuple_(*table.__mapper__.primary_key)
    chosen = select(*table.__mapper__.primary_key).where(*conditions).limit(limit).with_for_update(skip_locked=True)
    gone = session.execute(delete(table).where(key.in_(chosen)).execution_options(synchronize_session=False))
    count = gone.rowcount  # type: ignore[attr-defined]
    return Counter({name_of(table): count}) if count else Counter()


def name_of(table: type[Base]) -> str:
    return str(table.__mapper__.local_table)


def of_ten_years(
    session: Session, table: type[Base], old: ColumnElement[bool], moment: Moment, limit: int
) -> Counter[str]:
    """The same for rows that never change until they are ten years old."""
    if session.scalar(select(1).select_from(table).where(old).limit(1)) is None:
        return Counter()
    upkeep.open_door(session, "decade", now=moment.now)
    return rows(session, table, old, limit=limit)


def sessions(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, WebSession, WebSession.expires_at < moment.real, limit=limit)


def codes(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, OneTimeCode, OneTimeCode.sent_at < moment.now - DAY, limit=limit)


def texts(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """What was sent, and what no gateway took for thirty days: nobody waits for that code any more."""
    in_vain = and_(TextMessage.sent_at.is_(None), TextMessage.written_at < moment.now - THIRTY_DAYS)
    return rows(session, TextMessage, or_(TextMessage.sent_at < moment.now - DAY, in_vain), limit=limit)


def answers_given_once(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, DoneOnce, DoneOnce.done_at < moment.real - THIRTY_DAYS, limit=limit)


def jobs(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return rows(session, Job, Job.finished_at < moment.now - THIRTY_DAYS, limit=limit)


def notices_about_nobody(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Those that speak of a child go with it."""
    about_none = and_(Notice.application_id.is_(None), Notice.child_id.is_(None))
    return rows(session, Notice, about_none, Notice.created_at < moment.years_ago(1), limit=limit)


def signatures(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return of_ten_years(session, Signature, Signature.signed_at < moment.years_ago(10), moment, limit)


def end_of_the_audit_chain(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Cut the oldest links off, up to the first that is younger than ten years; the rest of the chain stays whole."""
    sealed = select(AuditEntry).where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link)
    oldest = session.scalars(sealed.limit(1)).first()
    if oldest is None or oldest.link is None or oldest.at >= moment.years_ago(10):
        return Counter()
    young = select(func.min(AuditEntry.link)).where(AuditEntry.at >= moment.years_ago(10))
    before = session.scalar(young)
    within = AuditEntry.link < min(before or oldest.link + limit, oldest.link + limit)
    last = session.scalars(sealed.where(within).order_by(None).order_by(AuditEntry.link.desc()).limit(1)).one()
    upkeep.open_door(session, "audit", now=moment.now, audit_link=last.link, audit_digest=last.digest)
    return rows(session, AuditEntry, AuditEntry.link <= last.link, limit=limit)
