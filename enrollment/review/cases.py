"""Cases 申诉/争议: disputes between guardians, appeals, disputes of registers' answers, and disability admissions under
Article 17."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, register_answers
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, identity, jobs, outbox
from enrollment.ground.accounts import Actor, Role, require_oneself
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.people import documents, guardians
from enrollment.people.children import is_guardian_of
from enrollment.people.household_rows import Household
from enrollment.people.likeness import name_key
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten, Page, paginate_rows
from enrollment.review import case_officers
from enrollment.review.case_rows import (
    ABOUT_THE_CHILD,
    ANSWERED,
    KINDS,
    OPEN_DISPUTES,
    OUTCOMES,
    Case,
    CaseKind,
    CaseOutcome,
    GuardianRequest,
)
from enrollment.season import holidays

__all__ = ["KINDS", "OUTCOMES", "Case", "CaseKind", "CaseOutcome"]

PER_PAGE = 50
LONGEST_TEXT = 2000
LONGEST_REGISTER_TEXT = 200
DISPUTE_DAYS = 10


AREA = func.coalesce(Kindergarten.area_code, Household.home_area)
"""SQL expression: the area of a case, from the reviewing kindergarten or, if there is none, from the home."""

HOLDING = (Case.held_at.is_not(None), Case.hold_ended_at.is_(None), Case.settled_at.is_(None))


def open_dispute(
    session: Session,
    *,
    child_name: str,
    id_kind: str,
    id_number: str,
    text: str,
    by: Actor,
    now: dt.datetime,
) -> Case:
    """Open the case of a person who says that somebody else entered their child.

    The answer does not show whether the child exists.  If number *and* name match a child with a live application, its
    guardians are told that a dispute was opened, but not by whom.  If the person is an accepted guardian of the child, the
    application is put on hold at once; otherwise only the officer can impose a hold.
    Refuses `text_missing`, `text_too_long`, and what `identity.check` refuses.
    """
    require_oneself(by)
    guardians.require_guardian(session, by=by)
    found = identity.check(id_kind, id_number, today=today(now))
    if not text.strip():
        raise Refused("text_missing", field="text")
    if len(text) > LONGEST_TEXT:
        raise Refused("text_too_long", field="text", most=LONGEST_TEXT)
    index = found.index
    earlier = session.scalars(
        select(Case).where(
            Case.kind == CaseKind.GUARDIANS_DISPUTE,
            Case.account_id == by.account_id,
            Case.child_index == index,
            Case.settled_at.is_(None),
        )
    ).first()
    if earlier is not None:
        return earlier
    case = Case(
        kind=CaseKind.GUARDIANS_DISPUTE,
        account_id=by.account_id,
        child_index=index,
        text=text.strip(),
        opened_at=now,
        due_at=due_at(session, now, DISPUTE_DAYS),
    )
    session.add(case)
    session.flush()
    application = _disputed(session, index, child_name)
    case.application_id = application.id if application is not None else None
    begin(session, case, by=by, now=now)
    if application is not None:
        if is_guardian_of(session, application.child_id, by=by):
            _hold(session, application, case, by=by, now=now)
        else:
            event = f"dispute_opened:{case.id}"
            notify_guardians(session, "dispute_opened", [application.id], now=now, event=event)
    return case


def open_objection(session: Session, application_id: uuid.UUID, *, text: str, by: Actor, now: dt.datetime) -> Case:
    """A guardian objects to a decision of another guardian of the child: the application is on hold until an officer
    settles the case.  The caller has checked that the guardian may object, and holds the application's lock.
    """
    case = Case(
        kind=CaseKind.GUARDIANS_DISPUTE, account_id=by.account_id, application_id=application_id,
        text=text.strip()[:LONGEST_TEXT], opened_at=now, due_at=due_at(session, now, DISPUTE_DAYS),
    )  # fmt: skip
    session.add(case)
    begin(session, case, by=by, now=now)
    _hold(session, session.get_one(Application, application_id), case, by=by, now=now)
    return case


def open_register_dispute(
    session: Session, application_id: uuid.UUID, fact: str, *, text: str, by: Actor, now: dt.datetime
) -> Case:
    """A guardian says that a register's answer about a claimed fact is wrong.  A clerk then checks papers instead, and an
    official answers for the register in a case.  Answers that are disputed while it is open join it.

    Refuses `text_too_long`.  Raises NotFound where there is no such answer.
    """
    if len(text) > LONGEST_REGISTER_TEXT:
        raise Refused("text_too_long", field="text", most=LONGEST_REGISTER_TEXT)
    is_new = register_answers.dispute(session, application_id, fact, by=by, now=now)
    session.get_one(Application, application_id, with_for_update={"key_share": True})
    case = register_dispute_of(session, application_id)
    said = text.strip()
    if case is None:
        case = Case(
            kind=CaseKind.REGISTER_DISPUTE, account_id=by.account_id, application_id=application_id, text=said,
            opened_at=now, due_at=due_at(session, now, DISPUTE_DAYS),
        )  # fmt: skip
        session.add(case)
        begin(session, case, by=by, now=now)
    elif is_new and said:
        case.text = "\n".join(part for part in (case.text, said) if part)[:LONGEST_TEXT]
        session.flush()
    return case


def register_dispute_of(session: Session, application_id: uuid.UUID) -> Case | None:
    """The open dispute of registers' answers about an application."""
    open_ones = select(Case).where(Case.application_id == application_id, Case.settled_at.is_(None))
    found = session.scalars(open_ones.order_by(Case.opened_at))
    return next((each for each in found if each.kind == CaseKind.REGISTER_DISPUTE), None)


def begin(session: Session, case: Case, *, by: Actor, now: dt.datetime) -> None:
    """Assign an officer to a new case, and notify the person who opened it; of a case of an office every guardian."""
    session.flush()
    case.officer_id = case_officers.choose(session, area_of(session, case))
    session.flush()
    audit.record(
        session, "open_case", "case_file", case.id, by=by, now=now, kind=case.kind, officer=str(case.officer_id)
    )
    if case.kind == CaseKind.DISABILITY and case.application_id is not None:
        event = f"case:{case.id}:opened"
        notify_guardians(session, "support_case_opened", [case.application_id], now=now, event=event)
    else:
        outbox.tell(session, "case_opened", account_id=case.account_id, key=f"case:{case.id}:opened", now=now)


def impose_hold(session: Session, case_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Case:
    """An official puts the application of an open dispute on hold, with a reason.  Repeating it changes nothing.

    Refuses `say_why`, `no_application_to_hold`.
    """
    case = _open_for_decision(session, case_id, by=by)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if case.application_id is None or case.kind != CaseKind.GUARDIANS_DISPUTE:
        raise Refused("no_application_to_hold", field="reason")
    if case.held_at is None:
        application = session.get_one(Application, case.application_id, with_for_update={"key_share": True})
        _hold(session, application, case, by=by, now=now, reason=reason.strip()[:LONGEST_TEXT])
        outbox.tell(session, "case_hold_imposed", account_id=case.account_id, key=f"case:{case.id}:held", now=now)
    return case


def lift_hold(session: Session, case_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Case:
    """An official ends the hold; the case stays open.  Refuses `say_why`."""
    case = _open_for_decision(session, case_id, by=by)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if is_holding(case):
        _end_hold(session, case, by=by, now=now)
        outbox.tell(
            session, "case_hold_lifted", account_id=case.account_id, key=f"case:{case.id}:lifted:{now}", now=now
        )
    return case


def is_holding(case: Case) -> bool:
    """Whether this case keeps its application on hold."""
    return case.held_at is not None and case.hold_ended_at is None


def holding_case(session: Session, application_id: uuid.UUID) -> Case | None:
    """The case that keeps this application on hold; of several, the one with the earliest due date."""
    held = select(Case).where(Case.application_id == application_id, *HOLDING)
    return session.scalars(held.order_by(Case.due_at).limit(1)).first()


def dispute_about(session: Session, application_id: uuid.UUID) -> Case | None:
    """The open dispute that the application's page shows: one with a hold, else the one with the earliest due date."""
    disputes = OPEN_DISPUTES.of(session, application_id)
    return min(disputes, key=lambda case: (not is_holding(case), case.due_at), default=None)


@dataclass(frozen=True)
class Filed:
    """A case as an official's list shows it.  `area_code` is None if no application matches; the city decides then."""

    case: Case
    area_code: str | None
    registration_code: str | None

    def is_late(self, now: dt.datetime) -> bool:
        return self.case.settled_at is None and self.case.due_at < now


def filed(by: Actor):
    """The cases of an official's areas: the area of the reviewing kindergarten or, if there is none, of the home."""
    found = _with_area()
    if by.is_any(Role.CITY_OFFICIAL, Role.AUDITOR):
        return found
    return found.where(AREA.in_(by.areas)) if by.is_any(Role.AREA_OFFICIAL) else found.where(false())


def _with_area():
    return (
        select(Case, AREA.label("area"), Application.registration_code)
        .outerjoin(Application, Application.id == Case.application_id)
        .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
        .outerjoin(Household, Household.application_id == Application.id)
    )


def listing(session: Session, *, by: Actor, settled: bool = False, page: int = 1, per_page: int = PER_PAGE) -> Page:
    """A page of the open cases of the official's areas by due date; with `settled` of the settled ones, newest first."""
    found = filed(by).where(Case.settled_at.is_not(None) if settled else Case.settled_at.is_(None))
    order = Case.settled_at.desc() if settled else Case.due_at
    listed = paginate_rows(session, found.order_by(order, Case.id), page, per_page)
    return replace(listed, items=[Filed(*row) for row in listed])


def count_due(session: Session, until: dt.datetime, *, by: Actor) -> int:
    """How many open cases of the official's areas are due by then."""
    due = filed(by).where(Case.settled_at.is_(None), Case.due_at < until)
    return session.scalar(select(func.count()).select_from(due.subquery())) or 0


def find(session: Session, case_id: uuid.UUID, *, by: Actor) -> Filed:
    """A case within the official's areas.  NotFound elsewhere."""
    row = session.execute(filed(by).where(Case.id == case_id)).one_or_none()
    if row is None:
        raise NotFound()
    return Filed(*row)


def due_at(session: Session, opened_at: dt.datetime, days: int) -> dt.datetime:
    """When a case of so many days is due: on a day off, the next working day (Civil Code, Article 203)."""
    due = opened_at + dt.timedelta(days=days)
    day = today(due)
    return due + (holidays.of_year(session, day.year).next_working_day(day) - day)


def settle(
    session: Session,
    case_id: uuid.UUID,
    *,
    outcome: str,
    reason: str,
    answer: str = "",
    by: Actor,
    now: dt.datetime,
) -> Case:
    """An official of the application's area, or of the city, settles a case; this also ends the hold that it caused.

    `reason` stays with the offices; `answer` is the reason as the family reads it, in the letter too, and a request of the
    family needs one.  The person who opened the case is told the outcome (of a case `ABOUT_THE_CHILD` every guardian), and
    the application's guardians are told that the application continues; neither message mentions the other side.
    Settling twice changes nothing.  Refuses `outcome_missing`, `say_why`, `answer_to_family_missing`, and `case_is_settled`
    where the case has another outcome already: whoever decides otherwise must not read that the family was told so.
    """
    case = _decidable(session, case_id, by=by)
    if outcome not in OUTCOMES:
        raise Refused("outcome_missing", field="outcome")
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if case.kind in ANSWERED and not answer.strip():
        raise Refused("answer_to_family_missing", field="answer")
    if is_settled_as(case, outcome):
        return case
    case.answer = answer.strip()[:LONGEST_TEXT] or None
    why = reason.strip()[:LONGEST_TEXT]
    audit.record(session, "settle_case", "case_file", case.id, by=by, now=now, reason=why, outcome=outcome)
    close(session, case, outcome, by=by, now=now)
    return case


def is_settled_as(case: Case, outcome: str) -> bool:
    """Whether the case is settled with this outcome.  Refuses `case_is_settled` if it is settled with another one."""
    if case.settled_at is None:
        return False
    if case.outcome != outcome:
        raise Refused("case_is_settled")
    return True


def close(session: Session, case: Case, outcome: str, *, by: Actor, now: dt.datetime) -> None:
    """End an open case and the hold that it caused.  The person who opened it is told the outcome, of a case
    `ABOUT_THE_CHILD` every guardian; the guardians are told that the application goes on, if they had heard of the case.
    The caller holds the case's lock and audits."""
    case.settled_at, case.outcome = now, outcome
    session.flush()
    if case.kind in ABOUT_THE_CHILD and case.application_id is not None:
        # the case of a disabled child was opened by a kindergarten: it is no request of the family that was withdrawn
        theirs = case.kind == CaseKind.DISABILITY and outcome == CaseOutcome.WITHDRAWN
        told = "support_case_withdrawn" if theirs else f"request_{outcome}"
        notify_guardians(session, told, [case.application_id], now=now, event=f"case:{case.id}")
    else:
        outbox.tell(session, f"case_{outcome}", account_id=case.account_id, key=f"case:{case.id}", now=now)
    if is_holding(case):
        _end_hold(session, case, by=by, now=now)
    elif case.application_id is not None and case.kind not in ABOUT_THE_CHILD and _was_told(session, case):
        event = f"dispute_ended:{case.id}"
        notify_guardians(session, "dispute_ended", [case.application_id], now=now, event=event)
    session.flush()


def request_of(session: Session, case: Case) -> GuardianRequest | None:
    """The request of a case about guardians; None for another kind of case."""
    return session.scalars(select(GuardianRequest).where(GuardianRequest.case_id == case.id)).one_or_none()


def _was_told(session: Session, case: Case) -> bool:
    """Whether the child's other guardians heard of the case: not of a third guardian, and not under a protection order."""
    wanted = request_of(session, case)
    return wanted is None or (wanted.guardian_id is not None and not wanted.protected)


def _decidable(session: Session, case_id: uuid.UUID, *, by: Actor) -> Case:
    """The case, locked, if this official may decide in its area.  Raises NotFound otherwise."""
    if not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise NotFound()
    find(session, case_id, by=by)
    return session.get_one(Case, case_id, with_for_update=True, populate_existing=True)


def _open_for_decision(session: Session, case_id: uuid.UUID, *, by: Actor) -> Case:
    case = _decidable(session, case_id, by=by)
    if case.settled_at is not None:
        raise Refused("case_is_settled")
    return case


def area_of(session: Session, case: Case) -> str | None:
    """The area whose officials decide; None for the city."""
    return session.execute(_with_area().where(Case.id == case.id)).one().area


def _disputed(session: Session, index: bytes, child_name: str) -> Application | None:
    """The live application of the child with this number, if the name matches too."""
    child_id = documents.child_of(session, index)
    child = session.get(Child, child_id) if child_id else None
    if child is None or name_key(child.name) != name_key(child_name):
        return None
    live = select(Application).where(Application.child_id == child.id, Application.stage.not_in(DEAD_STAGES))
    return session.scalars(live.order_by(Application.year.desc()).limit(1).with_for_update(key_share=True)).first()


def _hold(
    session: Session, application: Application, case: Case, *, by: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    """Put the application on hold.  The case is due at the close of registration, if that is earlier."""
    application.on_hold = True
    case.held_at, case.hold_ended_at = now, None
    registration = deadlines.of(session, application, now=now).open
    if registration is not None:
        case.due_at = min(case.due_at, registration.closes_at)
    audit.record(session, "hold", "application", application.id, by=by, now=now, case=str(case.id), reason=reason)
    notify_guardians(session, "on_hold", [application.id], now=now, event=f"on_hold:{case.id}:{now.isoformat()}")
    session.flush()


def _end_hold(session: Session, case: Case, *, by: Actor, now: dt.datetime) -> None:
    """End the hold of this case; the application stays on hold if another case holds it too."""
    case.hold_ended_at = now
    session.flush()
    if case.application_id is None or holding_case(session, case.application_id) is not None:
        return
    application = session.get_one(Application, case.application_id, with_for_update={"key_share": True})
    application.on_hold = False
    audit.record(session, "end_hold", "application", application.id, by=by, now=now, case=str(case.id))
    notify_guardians(session, "hold_ended", [application.id], now=now, event=f"hold_ended:{case.id}:{now.isoformat()}")
    # an act that waited starts its period anew, in a job, because this package does not know the acts
    jobs.enqueue(session, "joint_decisions_due", key=f"joint_after_hold:{case.id}:{now.isoformat()}", now=now)
    session.flush()
