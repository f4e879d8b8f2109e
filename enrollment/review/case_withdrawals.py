"""The person who opened a case takes it back.  The case stays in the history with the reason."""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.people.children import is_guardian_of
from enrollment.review import cases
from enrollment.review.case_rows import ABOUT_THE_CHILD, ANSWERED, CASES_ABOUT, Case, CaseKind, CaseOutcome

BY_FAMILIES = (CaseKind.GUARDIANS_DISPUTE, CaseKind.ADD_GUARDIAN, CaseKind.REMOVE_GUARDIAN, *ANSWERED)
"""The kinds of cases that families open themselves."""


def own_case(session: Session, case_id: uuid.UUID, *, by: Actor) -> Case:
    """A case that the signed-in person opened, decided or not.  NotFound for any other, and for a helper."""
    case = session.get(Case, case_id)
    if case is None or by.on_behalf or case.account_id != by.account_id or case.kind not in BY_FAMILIES:
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
