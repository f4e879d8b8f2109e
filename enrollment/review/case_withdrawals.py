"""A person's own cases, and taking one back.  A case that was taken back stays in the history with the reason."""

import datetime as dt
import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.people.children import is_guardian_of
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.review import cases
from enrollment.review.case_rows import ABOUT_THE_CHILD, ANSWERED, CASES, CASES_ABOUT, Case, CaseKind, CaseOutcome

BY_FAMILIES = (CaseKind.GUARDIANS_DISPUTE, CaseKind.ADD_GUARDIAN, CaseKind.REMOVE_GUARDIAN, *ANSWERED)
"""The kinds of cases that families open themselves."""


def own_cases(session: Session, *, by: Actor) -> list[Case]:
    """The cases that the signed-in person opened, newest first; a helper has no access to them.

    After a removal the area and the officer of a case would show where the child is.
    """
    if by.on_behalf:
        return []
    mine = CASES.of(session, by.account_id)
    hidden = _of_lost_children(session, [case.application_id for case in mine if case.application_id], by=by)
    shown = (case for case in mine if case.application_id not in hidden)
    return sorted(shown, key=lambda case: case.opened_at, reverse=True)


def own_case(session: Session, case_id: uuid.UUID, *, by: Actor) -> Case:
    """A case that the signed-in person opened, decided or not.  NotFound for any other, for a helper, and for a case about a
    child from whom the person was removed."""
    case = session.get(Case, case_id)
    if case is None or by.on_behalf or case.account_id != by.account_id or case.kind not in BY_FAMILIES:
        raise NotFound("case_file")
    if _is_hidden(session, case, by=by):
        raise NotFound("case_file")
    return case


def readable_case(session: Session, case_id: uuid.UUID, *, by: Actor) -> Case:
    """A case of one's own, or one `ABOUT_THE_CHILD` of which the signed-in person is a guardian.  NotFound for any other."""
    case = session.get(Case, case_id)
    application = session.get(Application, case.application_id) if case is not None and case.application_id else None
    if case is None or by.on_behalf:
        raise NotFound("case_file")
    if application is not None and case.kind in ABOUT_THE_CHILD:
        if is_guardian_of(session, application.child_id, by=by):
            return case
        raise NotFound("case_file")
    return own_case(session, case_id, by=by)


def about_child(session: Session, application_id: uuid.UUID) -> list[Case]:
    """The cases `ABOUT_THE_CHILD` of an application, the newest first.  The caller has looked it up in its family's scope."""
    return sorted(CASES_ABOUT.of(session, application_id), key=lambda case: case.opened_at, reverse=True)


def take_back(session: Session, case_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Case:
    """End a case of one's own.  A hold that it caused ends too, also one that the officer imposed; another case that holds
    the application keeps it.  Everybody who heard of the case is told.  Taking back twice changes nothing.

    Refuses `case_is_settled`, `say_why`, `text_too_long`.
    """
    require_oneself(by)
    case = own_case(session, case_id, by=by)
    session.refresh(case, with_for_update=True)
    if case.outcome == CaseOutcome.WITHDRAWN:
        return case
    if case.settled_at is not None:
        raise Refused("case_is_settled")
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if len(reason) > cases.LONGEST_TEXT:
        raise Refused("text_too_long", field="reason", most=cases.LONGEST_TEXT)
    case.withdrawal_reason = reason.strip()
    audit.record(session, "take_back_case", "case_file", case.id, by=by, now=now)
    cases.close(session, case, CaseOutcome.WITHDRAWN, by=by, now=now)
    return case


def _is_hidden(session: Session, case: Case, *, by: Actor) -> bool:
    """Whether the case is about a child from whom the signed-in person was removed."""
    return case.application_id is not None and bool(_of_lost_children(session, [case.application_id], by=by))


def _of_lost_children(session: Session, application_ids: Collection[uuid.UUID], *, by: Actor) -> set[uuid.UUID]:
    if not application_ids:
        return set()
    lost = (
        select(Application.id)
        .join(Guardianship, Guardianship.child_id == Application.child_id)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardian.account_id == by.account_id, Guardianship.removed_at.is_not(None))
    )
    return set(session.scalars(lost.where(Application.id.in_(application_ids))))
