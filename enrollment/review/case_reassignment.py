"""Giving a case to another officer, and what happened in it so far."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor, Role, RoleGrant
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.review import cases
from enrollment.review.case_rows import Case

SEEN_OFTEN = ("view", "view_evidence", "unmask")
"""Acts of the audit trail that are no step of a case."""


@dataclass(frozen=True)
class Step:
    """An entry of the history: who did what.  Reasons stay in the audit trail."""

    at: dt.datetime
    act: str
    name: str | None


def candidates(session: Session, area_code: str | None) -> list[tuple[uuid.UUID, str]]:
    """The officials who may have a case of this area: those of the area, and those of the city."""
    near = (RoleGrant.role == Role.AREA_OFFICIAL) & (RoleGrant.area_code == area_code)
    found = (
        select(Account.id, Account.name, Account.created_at)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(or_(near, RoleGrant.role == Role.CITY_OFFICIAL), Account.disabled_at.is_(None))
        .distinct()
        .order_by(Account.created_at, Account.id)
    )
    return [(row.id, row.name) for row in session.execute(found)]


def reassign(
    session: Session,
    case_id: uuid.UUID,
    officer_id: uuid.UUID | None,
    *,
    seen: uuid.UUID | None,
    by: Actor,
    now: dt.datetime,
) -> Case:
    """Give an open case to another officer, whose name the family reads from now on.  `seen` is the officer of the page.

    Refuses `officer_missing`, `case_is_settled`; Stale if another person was faster.
    """
    if not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise NotFound
    filed = cases.find(session, case_id, by=by)
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    if case.settled_at is not None:
        raise Refused("case_is_settled")
    if officer_id not in {each for each, _name in candidates(session, filed.area_code)}:
        raise Refused("officer_missing", field="officer")
    if case.officer_id != seen:
        raise Stale
    if case.officer_id != officer_id:
        before, case.officer_id = case.officer_id, officer_id
        audit.record(
            session, "reassign_case", "case_file", case.id, by=by, now=now, before=str(before), officer=str(officer_id)
        )
        session.flush()
    return case


def history_of(session: Session, case_id: uuid.UUID) -> list[Step]:
    """The steps of a case, the first one first.  Families are not named."""
    found = (
        select(AuditEntry.at, AuditEntry.act, Account.name, Account.login)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .where(
            AuditEntry.subject == "case_file", AuditEntry.subject_id == str(case_id), AuditEntry.act.not_in(SEEN_OFTEN)
        )
        .order_by(AuditEntry.number)
    )
    return [Step(row.at, row.act, row.name if row.login else None) for row in session.execute(found)]
