"""Files with names: one person asks and says why, another one of the same kindergarten or its area agrees.

The file can then be fetched for a day, by the person who asked.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from enrollment.ground import audit, retention, signatures
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.retention import THIRTY_DAYS, Moment
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.catalogue import report_of
from enrollment.reports.tables.export_rows import ReportExport
from enrollment.reports.tables.report import Question, Table, read

VALID_FOR = dt.timedelta(days=1)
LONGEST_REASON = 200


def ask(
    session: Session, report: str, kindergarten_id: uuid.UUID, year: int, *, reason: str, by: Actor, now: dt.datetime
) -> ReportExport:
    """Ask for a file with names.  Refuses `reason_needed`; NotFound elsewhere and for a report without names."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    if not report_of(report).has_names:
        raise NotFound("report")
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    export = ReportExport(
        report=report, year=year, kindergarten_id=kindergarten_id, reason=reason.strip()[:LONGEST_REASON],
        asked_by=by.account_id, asked_at=now,
    )  # fmt: skip
    session.add(export)
    session.flush()
    audit.record(session, "ask_report_export", "report_export", export.id, by=by, now=now, report=report)
    return export


def decide(session: Session, export_id: uuid.UUID, *, agreed: bool, by: Actor, now: dt.datetime) -> ReportExport:
    """The second person agrees, or does not.

    Refuses `second_person_needed`, `decided_already`, `request_lapsed`, and `first_person_left` to whoever agrees.
    """
    export = _in_scope(session, export_id, by=by, lock=True)
    if export.decided_at is not None:
        raise Refused("decided_already")
    if export.asked_by == by.account_id:
        raise Refused("second_person_needed")
    signatures.require_open(export.asked_at, now)
    if agreed:
        kindergarten = session.get_one(Kindergarten, export.kindergarten_id)
        signatures.require_first_person(session, export.asked_by, scope.office_of(kindergarten))
    export.decided_by, export.decided_at, export.agreed = by.account_id, now, agreed
    session.flush()
    audit.record(session, "decide_report_export", "report_export", export_id, by=by, now=now, agreed=agreed)
    return export


def fetch(session: Session, export_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Table:
    """The table for the person who asked.  NotFound unless a second person agreed less than a day ago."""
    export = _in_scope(session, export_id, by=by)
    if export.asked_by != by.account_id or not can_be_fetched(export, now):
        raise NotFound("report_export")
    question = Question(session, export.year, by, now, export.kindergarten_id)
    return read(report_of(export.report), question, how="file")


def can_be_fetched(export: ReportExport, now: dt.datetime) -> bool:
    return bool(export.agreed) and export.decided_at is not None and now < export.decided_at + VALID_FOR


def recent(session: Session, *, by: Actor, now: dt.datetime) -> Sequence[ReportExport]:
    """What was asked for at the actor's kindergartens as long as it could be decided, the open ones first."""
    found = (
        select(ReportExport)
        .join(Kindergarten, Kindergarten.id == ReportExport.kindergarten_id)
        .where(scope.scope_condition(by), ReportExport.asked_at > now - signatures.OPEN_FOR)
        .order_by(ReportExport.decided_at.is_not(None), ReportExport.asked_at.desc())
    )
    return session.scalars(found).all()


def waiting_query(*, by: Actor, now: dt.datetime) -> Select[int]:
    """SELECT how many files with names wait for this person as the second one."""
    return (
        select(func.count().label("number"))
        .select_from(ReportExport)
        .join(Kindergarten, Kindergarten.id == ReportExport.kindergarten_id)
        .where(
            scope.scope_condition(by),
            ReportExport.decided_at.is_(None),
            ReportExport.asked_by != by.account_id,
            ReportExport.asked_at > now - signatures.OPEN_FOR,
        )
    )


def waiting_for(session: Session, *, by: Actor, now: dt.datetime) -> int:
    """The same, counted."""
    return session.scalar(waiting_query(by=by, now=now)) or 0


def delete_old(session: Session, moment: Moment, limit: int) -> Counter[str]:
    """What was asked for a month ago; the audit trail keeps that it was."""
    return retention.delete_rows(session, ReportExport, ReportExport.asked_at < moment.now - THIRTY_DAYS, limit=limit)


def _in_scope(session: Session, export_id: uuid.UUID, *, by: Actor, lock: bool = False) -> ReportExport:
    export = session.get(ReportExport, export_id, with_for_update=lock or None, populate_existing=lock)
    if export is None:
        raise NotFound("report_export")
    scope.kindergarten_in_scope(session, export.kindergarten_id, by=by)
    return export
