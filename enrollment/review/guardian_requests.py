"""Requests to add a third guardian or to remove a guardian: cases with a paper, which officials decide."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from enrollment.applications import applications
from enrollment.applications.application_rows import Application, guardians_account
from enrollment.applications.notifications import notify_guardians
from enrollment.ground import audit, outbox, signatures
from enrollment.ground.accounts import Actor, Office, Role, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.files.uploads import SafePage, sanitise_upload
from enrollment.ground.outbox import MessageState, Notice
from enrollment.ground.phones import parse_phone
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.vault import seal_file, unseal_file
from enrollment.people import children, invitations
from enrollment.people.person_rows import GUARDIANS, Child, Guardian, Guardianship
from enrollment.review import cases
from enrollment.review.case_rows import PAPER_PURPOSE, Case, CaseKind, CaseOutcome, GuardianRequest

REQUESTS_ABOUT = Read(
    GuardianRequest,
    GuardianRequest.guardian_id,
    (GuardianRequest.protected.is_(False),),
    unread=(GuardianRequest.phone, GuardianRequest.paper),
)
"""The requests to remove a guardian, without those under a protection order."""


@dataclass(frozen=True)
class Paper:
    """The paper of a request: a judgment, a certificate or an order, as a photo or a PDF."""

    content: bytes


def request_addition(
    session: Session, application_id: uuid.UUID, phone: str, paper: Paper, *, text: str, by: Actor, now: dt.datetime
) -> Case:
    """A guardian asks to add a third guardian.  Refuses `phone_form`, `enough_guardians`, `file_missing`, `text_missing`."""
    application = _asked_by_guardian(session, application_id, by=by)
    if _count(session, application.child_id) >= invitations.MOST_BY_CASE:
        raise Refused("no_more_guardians", field="phone", most=invitations.MOST_BY_CASE)
    wanted = GuardianRequest(child_id=application.child_id, phone=parse_phone(phone), protected=False)
    return _open(session, application, CaseKind.ADD_GUARDIAN, wanted, paper, text, by=by, now=now)


def request_removal(
    session: Session,
    application_id: uuid.UUID,
    guardian_id: uuid.UUID,
    paper: Paper,
    *,
    protected: bool,
    text: str,
    by: Actor,
    now: dt.datetime,
) -> Case:
    """A guardian asks to remove another.  The other is told and can contact the officer, except under a protection order.

    Refuses `guardian_missing`, `last_guardian`, `file_missing`, `text_missing`.
    """
    application = _asked_by_guardian(session, application_id, by=by)
    guardianship = _guardianship(session, guardian_id, application.child_id)
    if guardianship is None:
        raise Refused("guardian_missing", field="guardian")
    if _count(session, application.child_id) < 2:
        raise Refused("last_guardian", field="guardian")
    wanted = GuardianRequest(child_id=application.child_id, guardian_id=guardian_id, protected=protected)
    case = _open(session, application, CaseKind.REMOVE_GUARDIAN, wanted, paper, text, by=by, now=now)
    other = guardianship.guardian.account_id
    if not protected and other != by.account_id:
        outbox.tell(session, "guardian_removal_requested", account_id=other, key=f"case:{case.id}:about", now=now)
    return case


def requests_about(session: Session, *, by: Actor) -> list[Case]:
    """Open cases that ask to remove the signed-in guardian, without those under a protection order."""
    if by.on_behalf or _nobody_asks_about(session, by):
        return []
    about_me = (
        select(Case)
        .join(GuardianRequest, GuardianRequest.case_id == Case.id)
        .join(Guardian, Guardian.id == GuardianRequest.guardian_id)
        .where(
            Guardian.account_id == by.account_id,
            GuardianRequest.protected.is_(False),
            Case.settled_at.is_(None),
            Case.account_id != by.account_id,
        )
    )
    return list(session.scalars(about_me.order_by(Case.opened_at)))


def _nobody_asks_about(session: Session, by: Actor) -> bool:
    """Whether it was read ahead that there is no request about this guardian."""
    known = [REQUESTS_ABOUT.ahead(session, guardian.id) for guardian in GUARDIANS.ahead(session, by.account_id) or ()]
    return known == [[]]


def read_paper(session: Session, case_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> SafePage:
    """The paper of a request, for the officials of its area; each view is written to the audit."""
    case = cases.find(session, case_id, by=by).case
    wanted = cases.request_of(session, case)
    if wanted is None or not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise NotFound
    audit.record(session, "view_evidence", "case_file", case.id, by=by, now=now)
    return SafePage(wanted.paper_type, unseal_file(wanted.paper, PAPER_PURPOSE, wanted.id))


def own_papers(session: Session, *, by: Actor) -> list[SafePage]:
    """The papers of the requests that the signed-in guardian made, oldest first.  Refuses `only_the_guardian`."""
    require_oneself(by)
    made = (
        select(GuardianRequest).join(Case, Case.id == GuardianRequest.case_id).where(Case.account_id == by.account_id)
    )
    return [
        SafePage(wanted.paper_type, unseal_file(wanted.paper, PAPER_PURPOSE, wanted.id))
        for wanted in session.scalars(made.order_by(Case.opened_at))
    ]


def approve_addition(session: Session, case_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Case:
    """One official approves: the third person is invited and becomes a guardian by accepting.  Refuses `say_why`
    and `case_is_settled`."""
    case, wanted = _decidable(session, case_id, CaseKind.ADD_GUARDIAN, by=by)
    if cases.is_settled_as(case, CaseOutcome.SETTLED):
        return case
    invitations.invite_by_case(
        session, wanted.child_id, wanted.phone or "", case_id=case.id, opener=case.account_id, by=by, now=now
    )
    return cases.settle(session, case_id, outcome=CaseOutcome.SETTLED, reason=reason, by=by, now=now)


def propose_removal(session: Session, case_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> None:
    """The first of two officials proposes the removal; another one does it anew when the first has lost the role.

    Refuses `say_why` and `case_is_settled`; proposing twice changes nothing.
    """
    case, wanted = _decidable(session, case_id, CaseKind.REMOVE_GUARDIAN, by=by)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if case.settled_at is not None:
        raise Refused("case_is_settled")
    if is_proposed(session, case, wanted):
        return
    wanted.proposed_by, wanted.proposed_at = by.account_id, now
    audit.record(session, "propose_removal", "case_file", case.id, by=by, now=now, reason=reason.strip()[:2000])
    session.flush()


def is_proposed(session: Session, case: Case, wanted: GuardianRequest) -> bool:
    """Whether the removal waits for a second official: somebody proposed it who still has the role."""
    return wanted.proposed_by is not None and signatures.can_answer(session, wanted.proposed_by, _office(session, case))


def _office(session: Session, case: Case) -> Office:
    return Office(area=cases.area_of(session, case))


def confirm_removal(session: Session, case_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Case:
    """The second official confirms: the guardian loses access to the child at once; the name stays in the history.

    Refuses `first_person_needed`, `second_person_needed`, `first_person_left`, `last_guardian`, `case_is_settled`.
    """
    case, wanted = _decidable(session, case_id, CaseKind.REMOVE_GUARDIAN, by=by)
    if cases.is_settled_as(case, CaseOutcome.SETTLED):
        return case
    if wanted.proposed_by is None:
        raise Refused("first_person_needed")
    if wanted.proposed_by == by.account_id:
        raise Refused("second_person_needed")
    signatures.require_first_person(session, wanted.proposed_by, _office(session, case))
    _remove(session, case, wanted, by=by, now=now)
    return cases.settle(session, case_id, outcome=CaseOutcome.SETTLED, reason=reason, by=by, now=now)


def _remove(session: Session, case: Case, wanted: GuardianRequest, *, by: Actor, now: dt.datetime) -> None:
    # applications before the row of the child, as everywhere
    theirs = select(Application.id).where(Application.child_id == wanted.child_id)
    session.execute(theirs.order_by(Application.id).with_for_update(key_share=True))
    session.execute(select(Child.id).where(Child.id == wanted.child_id).with_for_update(key_share=True))
    guardianship = _guardianship(session, wanted.guardian_id, wanted.child_id)
    if guardianship is None:
        return
    if _count(session, wanted.child_id) < 2:
        raise Refused("last_guardian")
    guardianship.accepted_at, guardianship.removed_at = None, now
    account_id = guardianship.guardian.account_id
    hidden = update(Notice).where(Notice.account_id == account_id, Notice.child_id == wanted.child_id)
    session.execute(hidden.values(withheld_at=now))
    session.execute(hidden.where(Notice.state == MessageState.WAITING).values(state=MessageState.WITHHELD))
    invitations.withdraw_of(session, guardianship.guardian, wanted.child_id, now=now)
    session.flush()
    _hand_on(session, wanted.child_id, account_id)
    audit.record(
        session, "remove_guardian", "child", wanted.child_id, by=by, now=now, guardian=str(wanted.guardian_id),
        case=str(case.id),
    )  # fmt: skip
    # no child, application or parameters, so that the message does not show where the child is
    outbox.tell(session, "guardian_removed", account_id=account_id, key=f"case:{case.id}:removed", now=now)
    if case.application_id is not None:
        event = f"guardian_left:{case.id}"
        notify_guardians(session, "guardian_left", [case.application_id], now=now, event=event)


def _hand_on(session: Session, child_id: uuid.UUID, removed: uuid.UUID) -> None:
    """What stood in the name of the removed guardian stands in that of the one who has cared for the child longest: whose
    consents count, and who is told of a case that an office opened.  The history of moves still names who entered it.

    The caller holds the locks of the child's applications."""
    stays = children.accounts_of(session, child_id)[0]
    theirs = select(Application.id).where(Application.child_id == child_id, guardians_account() == removed)
    ids = session.scalars(theirs.order_by(Application.id)).all()
    if ids:
        named = update(Application).where(Application.id.in_(ids)).values(entered_by=stays, entered_for=None)
        session.execute(named.execution_options(synchronize_session="fetch"))
    support = update(Case).where(
        Case.application_id.in_(select(Application.id).where(Application.child_id == child_id)),
        Case.account_id == removed, Case.kind == CaseKind.DISABILITY,
    )  # fmt: skip
    session.execute(support.values(account_id=stays).execution_options(synchronize_session="fetch"))


def _asked_by_guardian(session: Session, application_id: uuid.UUID, *, by: Actor) -> Application:
    require_oneself(by)
    return applications.own(session, application_id, by=by)


def _open(
    session: Session, application: Application, kind: CaseKind, wanted: GuardianRequest, paper: Paper, text: str, *,
    by: Actor, now: dt.datetime,
) -> Case:  # fmt: skip
    if not text.strip():
        raise Refused("text_missing", field="text")
    if len(text) > cases.LONGEST_TEXT:
        raise Refused("text_too_long", field="text", most=cases.LONGEST_TEXT)
    if not paper.content:
        raise Refused("file_missing", field="paper")
    safe = sanitise_upload(paper.content, field="paper")
    case = Case(
        kind=kind, account_id=by.account_id, application_id=application.id, text=text.strip(), opened_at=now,
        due_at=cases.due_at(session, now, cases.DISPUTE_DAYS),
    )  # fmt: skip
    session.add(case)
    cases.begin(session, case, by=by, now=now)
    wanted.id, wanted.case_id, wanted.paper_type = uuid.uuid4(), case.id, safe.media_type
    wanted.paper = seal_file(safe.content, PAPER_PURPOSE, wanted.id)
    session.add(wanted)
    session.flush()
    return case


def _decidable(session: Session, case_id: uuid.UUID, kind: CaseKind, *, by: Actor) -> tuple[Case, GuardianRequest]:
    """The case and its request, locked, for an official of its area.  NotFound for another kind of case."""
    case = cases.find(session, case_id, by=by).case
    wanted = cases.request_of(session, case)
    if case.kind != kind or wanted is None or not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise NotFound
    session.refresh(case, with_for_update=True)
    session.refresh(wanted, with_for_update=True)
    return case, wanted


def _guardianship(session: Session, guardian_id: uuid.UUID | None, child_id: uuid.UUID) -> Guardianship | None:
    accepted = select(Guardianship).where(
        Guardianship.guardian_id == guardian_id,
        Guardianship.child_id == child_id,
        Guardianship.accepted_at.is_not(None),
    )
    return session.scalars(accepted).one_or_none()


def _count(session: Session, child_id: uuid.UUID) -> int:
    return len(children.accounts_of(session, child_id))
