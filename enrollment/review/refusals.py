"""Refusals: only for age, a duplicate or false information, and always by two people."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle, units
from enrollment.applications.applications import Application, Stage
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.notifications import notify_guardians
from enrollment.applications.returned_items import REFUSAL_RULES, RefusalProposal
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import NotFound, Refused
from enrollment.review import notes, refusal_grounds, support_cases
from enrollment.review.findings import LONGEST_NOTE
from enrollment.review.leases import in_hand
from enrollment.review.scope import SECOND_PEOPLE, locked, office_of, refuse_while_refusal_is_open, within

LONGEST_CLAUSE = 40

LAPSED_SHOWN = dt.timedelta(days=14)
"""How long whoever proposed a refusal reads that it lapsed."""


def propose_refusal(
    session: Session,
    application_id: uuid.UUID,
    *,
    rule: str,
    explanation: str,
    clause: str,
    fact: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> RefusalProposal:
    """Propose a refusal by a named rule.  The application stays with the clerk until a second person decides.

    `clause` is the number of the rule in the notice; `fact` is what a false statement is about, a fact or a document.  The
    data of this system have to agree (`refusal_grounds`).  For a disabled child a case is opened, which the education
    authority decides first.
    Refuses `unknown_refusal_rule`, `clause_needed`, `explanation_needed`, `refusal_is_proposed`, `not_in_your_hands`, and what
    `refusal_grounds.require` refuses.
    """
    _lock_families(session, application_id)
    application = in_hand(session, application_id, by=by, now=now)
    if rule not in REFUSAL_RULES:
        raise Refused("unknown_refusal_rule", field="rule")
    if not clause.strip():
        raise Refused("clause_needed", field="clause")
    if not explanation.strip():
        raise Refused("explanation_needed", field="explanation")
    refuse_while_refusal_is_open(session, application_id)
    rests_on = refusal_grounds.require(session, application, rule, fact)
    proposal = RefusalProposal(
        application_id=application.id,
        rule=rule,
        clause=clause.strip()[:LONGEST_CLAUSE],
        fact=rests_on,
        explanation=explanation.strip()[:LONGEST_NOTE],
        proposed_by=by.account_id,
        proposed_at=now,
    )
    session.add(proposal)
    audit.record(session, "propose_refusal", "application", application.id, by=by, now=now, rule=rule, fact=rests_on)
    session.flush()
    if rule != "duplicate" and support_cases.is_needed(session, application.id):
        support_cases.open_for(session, application, text=proposal.explanation, by=by, now=now)
    return proposal


def decide_refusal(
    session: Session, proposal_id: uuid.UUID, *, upheld: bool, note: str = "", by: Actor, now: dt.datetime
) -> RefusalProposal:
    """The second person confirms the refusal, or gives the application back to the clerk with a note that says why.

    Refuses `second_person_needed`, `only_a_head_or_official_decides`, `decided_already`, `refusal_lapsed`, `reason_needed`,
    `support_case_undecided`, and `first_person_left` to whoever confirms: the application goes back to a clerk, who proposes anew.
    Refuses to confirm what `refusal_grounds.require` refuses by now, such as the refusal of the last application of a child.
    """
    application_id = session.scalar(select(RefusalProposal.application_id).where(RefusalProposal.id == proposal_id))
    if application_id is None:
        raise NotFound("refusal")
    _lock_families(session, application_id)
    application = locked(session, application_id, by=by)
    proposal = session.get_one(RefusalProposal, proposal_id, populate_existing=True)
    if proposal.is_lapsed or (proposal.decided_at is None and application.stage != Stage.IN_REVIEW):
        raise Refused("refusal_lapsed")
    if proposal.decided_at is not None:
        raise Refused("decided_already")
    if not by.is_any(*SECOND_PEOPLE):
        raise Refused("only_a_head_or_official_decides")
    if proposal.proposed_by == by.account_id:
        raise Refused("second_person_needed")
    if not upheld:
        if not note.strip():
            raise Refused("reason_needed", field="why")
        notes.add(session, application.id, note, by=by, now=now)
    if upheld:
        signatures.require_first_person(session, proposal.proposed_by, office_of(session, application))
        refusal_grounds.require(session, application, proposal.rule, proposal.fact)
    if upheld and proposal.rule != "duplicate":
        support_cases.require_decided(session, application.id)
    proposal.decided_by, proposal.decided_at, proposal.upheld = by.account_id, now, upheld
    audit.record(session, "decide_refusal", "application", application.id, by=by, now=now, upheld=upheld)
    session.flush()
    if upheld:
        bond_rules.leave(session, application, BondEvent.REFUSE, by=by, now=now)
        lifecycle.make(session, application, "refuse", by=by, now=now, reason=proposal.rule)
        notify_guardians(session, "review_refused", [application.id], now=now, by=by, rule=proposal.rule)
    return proposal


def _lock_families(session: Session, application_id: uuid.UUID) -> None:
    """Lock the family and those of possible duplicates, all at once: of two proposals to refuse one child twice, one falls."""
    application = session.get(Application, application_id)
    if application is not None:
        others = refusal_grounds.others_handed_in(session, application)
        units.lock_families(session, [application_id, *others])


def open_refusals(session: Session, *, by: Actor) -> list[tuple[RefusalProposal, Application]]:
    """Proposals that wait for a second person within the actor's scope, oldest first.

    Only of applications in review: a family that changed or withdrew its application has ended what was proposed."""
    rows = session.execute(
        select(RefusalProposal, Application)
        .join(Application, Application.id == RefusalProposal.application_id)
        .where(RefusalProposal.decided_at.is_(None), Application.stage == Stage.IN_REVIEW, within(by))
        .order_by(RefusalProposal.proposed_at)
    )
    return [(proposal, application) for proposal, application in rows]


def lapsed_refusals(session: Session, *, by: Actor, now: dt.datetime) -> list[tuple[RefusalProposal, Application]]:
    """The actor's own proposals that lapsed in the last `LAPSED_SHOWN`, the newest first."""
    rows = session.execute(
        select(RefusalProposal, Application)
        .join(Application, Application.id == RefusalProposal.application_id)
        .where(RefusalProposal.proposed_by == by.account_id, RefusalProposal.decided_at > now - LAPSED_SHOWN)
        .where(RefusalProposal.decided_by.is_(None), within(by))
        .order_by(RefusalProposal.decided_at.desc(), RefusalProposal.id)
    )
    return [(proposal, application) for proposal, application in rows]


def refusal_of(session: Session, application_id: uuid.UUID) -> RefusalProposal | None:
    """The refusal of the application that two people signed last; None without one."""
    return session.scalars(
        select(RefusalProposal)
        .where(RefusalProposal.application_id == application_id, RefusalProposal.upheld.is_(True))
        .order_by(RefusalProposal.decided_at.desc())
        .limit(1)
    ).first()
