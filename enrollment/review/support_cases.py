"""Cases of children with a disability: Preschool Education Law, Article 17.

A kindergarten that proposes to refuse such a child opens a case.  The education authority of the area has it assessed, plans
the support, and decides within a stated time; until then nobody can refuse the child, in the database too.
"""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.claim_rows import Claim
from enrollment.applications.returned_items import RefusalProposal
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.city_time import today
from enrollment.ground.errors import NotFound, Refused
from enrollment.review import cases
from enrollment.review.case_rows import Case, CaseKind, CaseOutcome, SupportDecision
from enrollment.season.facts import Ground

DAYS = 15
"""How long the education authority has for its decision."""

LONGEST_TEXT = cases.LONGEST_TEXT
DECISIONS = tuple(SupportDecision)


class ProposalEnd(StrEnum):
    """How the proposal of a case ended before the education authority decided."""

    LAPSED = "lapsed"
    GIVEN_BACK = "given_back"
    WITHDRAWN = "withdrawn"


def is_needed(session: Session, application_id: uuid.UUID) -> bool:
    """Whether the family told of a disability."""
    told = exists().where(Claim.application_id == application_id, Claim.ground == Ground.SPECIAL_NEED.value)
    return bool(session.scalar(select(told)))


def of_application(session: Session, application_id: uuid.UUID) -> Case | None:
    """The newest case of the application."""
    found = select(Case).where(Case.application_id == application_id, Case.kind == CaseKind.DISABILITY)
    return session.scalars(found.order_by(Case.opened_at.desc()).limit(1)).first()


def open_for(session: Session, application: Application, *, text: str, by: Actor, now: dt.datetime) -> Case:
    """Open the case of an application, in the name of its guardian, who sees the clock; every guardian is told.  An open one
    is kept, also if its proposal has lapsed since: what the child needs is still assessed.  The newest `text` stands first in it.

    The caller holds the application's lock.
    """
    known = of_application(session, application.id)
    if known is not None and known.settled_at is None:
        if text not in known.text:
            known.text = f"{text}\n{known.text}"[:LONGEST_TEXT]
            session.flush()
        return known
    case = Case(
        kind=CaseKind.DISABILITY,
        account_id=application.entered_for or application.entered_by,
        application_id=application.id,
        text=text[:LONGEST_TEXT],
        opened_at=now,
        due_at=cases.due_at(session, now, DAYS),
    )
    session.add(case)
    cases.begin(session, case, by=by, now=now)
    return case


def proposal_end(session: Session, case: Case) -> ProposalEnd | None:
    """How the proposal of an open case ended; None while one waits for the decision, and for a case without one.

    The case stays open all the same: the child still needs what it needs, and the family has been told of the assessment.
    """
    if case.settled_at is not None or case.application_id is None:
        return None
    found = select(RefusalProposal).where(
        RefusalProposal.application_id == case.application_id, RefusalProposal.rule != "duplicate"
    )
    newest = session.scalars(found.order_by(RefusalProposal.proposed_at.desc()).limit(1)).first()
    if newest is None or newest.decided_at is None:
        return None
    if session.get_one(Application, case.application_id).stage == Stage.WITHDRAWN:
        return ProposalEnd.WITHDRAWN
    return ProposalEnd.LAPSED if newest.is_lapsed else ProposalEnd.GIVEN_BACK


def require_decided(session: Session, application_id: uuid.UUID) -> None:
    """Refuse `support_case_undecided` unless the education authority has decided that the child is not admitted."""
    if not is_needed(session, application_id):
        return
    known = of_application(session, application_id)
    if known is None or known.decision != SupportDecision.NOT_ADMITTED:
        raise Refused("support_case_undecided")


def find(session: Session, case_id: uuid.UUID, *, by: Actor) -> Case:
    """A case within the official's areas.  NotFound elsewhere, and for a case of another kind."""
    case = cases.find(session, case_id, by=by).case
    if case.kind != CaseKind.DISABILITY:
        raise NotFound("case_file")
    return case


def _lock_open(session: Session, case_id: uuid.UUID, *, by: Actor) -> Case:
    """The open case, locked after its family."""
    application_id = find(session, case_id, by=by).application_id
    if not by.is_any(Role.AREA_OFFICIAL, Role.CITY_OFFICIAL):
        raise Refused("only_an_official_decides")
    units.lock_families(session, [application_id] if application_id else [])
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    if case.settled_at is not None:
        raise Refused("case_is_settled")
    return case


def decide(
    session: Session,
    case_id: uuid.UUID,
    *,
    assessed_on: dt.date | None,
    assessment: str,
    plan: str,
    decision: str,
    answer: str = "",
    by: Actor,
    now: dt.datetime,
) -> Case:
    """The official records assessment and plan, and decides; the case is settled and every guardian is told.

    `answer` is what the letter to the family says about the reason.  If the child is to be admitted, an open proposal to refuse it
    is given back by the same act: nobody at the kindergarten decides once more.

    Refuses `only_an_official_decides`, `case_is_settled`, `assessment_date_needed`, `assessment_needed`, `plan_needed`,
    `outcome_missing`.
    """
    case = _lock_open(session, case_id, by=by)
    if assessed_on is None or assessed_on > today(now):
        raise Refused("assessment_date_needed", field="assessed_on")
    if not assessment.strip():
        raise Refused("assessment_needed", field="assessment")
    if not plan.strip():
        raise Refused("plan_needed", field="plan")
    if decision not in DECISIONS:
        raise Refused("outcome_missing", field="decision")
    case.assessed_on, case.decision = assessed_on, decision
    case.assessment, case.plan = assessment.strip()[:LONGEST_TEXT], plan.strip()[:LONGEST_TEXT]
    case.answer = answer.strip()[:LONGEST_TEXT] or None
    session.flush()
    audit.record(session, "settle_case", "case_file", case.id, by=by, now=now)
    cases.close(session, case, CaseOutcome.SETTLED, by=by, now=now)
    if decision != SupportDecision.NOT_ADMITTED:
        _give_back(session, case, by=by, now=now)
    return case


def close_withdrawn(session: Session, case_id: uuid.UUID, *, explanation: str, by: Actor, now: dt.datetime) -> Case:
    """End the open case of an application that its family withdrew: nobody is assessed who asks for no place.  Every guardian
    is told, and reads `explanation`.  A refusal that is proposed later opens a new case.

    Refuses `only_an_official_decides`, `case_is_settled`, `application_not_withdrawn`, `say_why`.
    """
    case = _lock_open(session, case_id, by=by)
    # read after the lock: the family may have begun anew meanwhile
    application = session.get(Application, case.application_id, populate_existing=True) if case.application_id else None
    if application is None or application.stage != Stage.WITHDRAWN:
        raise Refused("application_not_withdrawn")
    if not explanation.strip():
        raise Refused("say_why", field="explanation")
    case.answer = explanation.strip()[:LONGEST_TEXT]
    session.flush()
    audit.record(session, "close_case_withdrawn", "case_file", case.id, by=by, now=now)
    cases.close(session, case, CaseOutcome.WITHDRAWN, by=by, now=now)
    return case


def _give_back(session: Session, case: Case, *, by: Actor, now: dt.datetime) -> None:
    """The open proposal to refuse this child is not upheld; one that says that it has another application stays."""
    found = select(RefusalProposal).where(
        RefusalProposal.application_id == case.application_id,
        RefusalProposal.decided_at.is_(None),
        RefusalProposal.rule != "duplicate",
        RefusalProposal.proposed_by != by.account_id,
    )
    for proposal in session.scalars(found):
        proposal.decided_by, proposal.decided_at, proposal.upheld = by.account_id, now, False
        audit.record(session, "decide_refusal", "application", case.application_id, by=by, now=now, upheld=False)
    session.flush()
