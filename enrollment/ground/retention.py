"""Retention of the tables of `ground`: sessions, codes, messages, stored responses, jobs, signatures, audit entries.

Each function deletes one batch and returns the number of rows by table; an empty result means that nothing is left.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from enrollment.ground import maintenance_permits
from enrollment.ground.audit import AuditEntry
from enrollment.ground.db import Base
from enrollment.ground.jobs import Job
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.ground.sign_in import IdempotentResponse, OneTimeCode, WebSession
from enrollment.ground.signatures import Signature

DAY = dt.timedelta(days=1)
THIRTY_DAYS = 30 * DAY


@dataclass(frozen=True)
class Moment:
    """`now` is the time of the portal, `real` the real time: sessions use the real time, also in a demo with a moved clock."""

    now: dt.datetime
    real: dt.datetime

    def years_ago(self, years: int) -> dt.datetime:
        """The same day `years` years earlier; 29 February becomes 28 February."""
        try:
            return self.now.replace(year=self.now.year - years)
        except ValueError:
            return self.now.replace(year=self.now.year - years, day=28)


def delete_rows(session: Session, table: type[Base], *conditions: ColumnElement[bool], limit: int) -> Counter[str]:
    """Delete at most `limit` rows of a table that meet the conditions."""
    key = tuple_(*table.__mapper__.primary_key)
    chosen = select(*table.__mapper__.primary_key).where(*conditions).limit(limit).with_for_update(skip_locked=True)
    gone = session.execute(delete(table).where(key.in_(chosen)).execution_options(synchronize_session=False))
    count = gone.rowcount  # type: ignore[attr-defined]
    return Counter({table_name(table): count}) if count else Counter()


def table_name(table: type[Base]) -> str:
    return str(table.__mapper__.local_table)


def delete_append_only_rows(
    session: Session, table: type[Base], old: ColumnElement[bool], moment: Moment, limit: int
) -> Counter[str]:
    """The same for an append-only table, with a permit for rows that are ten years old."""
    if session.scalar(select(1).select_from(table).where(old).limit(1)) is None:
        return Counter()
    maintenance_permits.grant_permit(session, "decade")
    return delete_rows(session, table, old, limit=limit)


def delete_sessions(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, WebSession, WebSession.expires_at < moment.real, limit=limit)


def delete_one_time_codes(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, OneTimeCode, OneTimeCode.sent_at < moment.now - DAY, limit=limit)


def delete_text_messages(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Messages sent, and codes expired, more than a day ago; messages that no gateway accepted for thirty days."""
    in_vain = and_(TextMessage.sent_at.is_(None), TextMessage.written_at < moment.now - THIRTY_DAYS)
    expired = TextMessage.expires_at < moment.now - DAY
    return delete_rows(session, TextMessage, or_(TextMessage.sent_at < moment.now - DAY, expired, in_vain), limit=limit)


def delete_idempotent_responses(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, IdempotentResponse, IdempotentResponse.done_at < moment.real - THIRTY_DAYS, limit=limit)


def delete_jobs(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_rows(session, Job, Job.finished_at < moment.now - THIRTY_DAYS, limit=limit)


def delete_general_notices(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Notices without a child; notices about a child are deleted with the child."""
    about_none = and_(Notice.application_id.is_(None), Notice.child_id.is_(None))
    return delete_rows(session, Notice, about_none, Notice.created_at < moment.years_ago(1), limit=limit)


def delete_signatures(session: Session, moment: Moment, limit: int) -> Counter[str]:
    return delete_append_only_rows(session, Signature, Signature.signed_at < moment.years_ago(10), moment, limit)


def delete_oldest_audit_entries(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """Delete the oldest links of the chain, up to the first one younger than ten years."""
    sealed = select(AuditEntry).where(AuditEntry.link.is_not(None)).order_by(AuditEntry.link)
    oldest = session.scalars(sealed.limit(1)).first()
    if oldest is None or oldest.link is None or oldest.at >= moment.years_ago(10):
        return Counter()
    young = select(func.min(AuditEntry.link)).where(AuditEntry.at >= moment.years_ago(10))
    before = session.scalar(young)
    within = AuditEntry.link < min(before or oldest.link + limit, oldest.link + limit)
    last = session.scalars(sealed.where(within).order_by(None).order_by(AuditEntry.link.desc()).limit(1)).one()
    maintenance_permits.grant_permit(session, "audit", audit_link=last.link, audit_digest=last.digest)
    return delete_rows(session, AuditEntry, AuditEntry.link <= last.link, limit=limit)
