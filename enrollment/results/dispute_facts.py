"""What the official of a case about an application has to know: the acts that were proposed, the place, the guardians."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.registers.answer_rows import RegisterAnswer
from enrollment.offers import joint_decisions
from enrollment.offers.joint_decision_rows import DecisionState, JointDecision
from enrollment.offers.offer_rows import Offer
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.places.programmes import Programme
from enrollment.review.case_rows import Case


@dataclass(frozen=True)
class ProposedAct:
    """An act of one guardian, as it was proposed.

    `proposer` and `ended_by` are None for accounts that are no guardian of the child.  `paused`: it waits for the end of
    the dispute.  `is_disputed`: the objection to it opened the case.
    """

    row: JointDecision
    proposer: Guardianship | None
    ended_by: Guardianship | None
    paused: bool
    is_disputed: bool


@dataclass(frozen=True)
class DisputeFacts:
    """`guardians` are the accepted guardians, in the order in which they were registered.  `offer` is the newest offer
    with its programme, None if there was no offer.  `acts` are ordered from the newest to the oldest."""

    guardians: Sequence[Guardianship]
    acts: Sequence[ProposedAct]
    offer: Offer | None
    programme: Programme | None


def disputed_answers(session: Session, case: Case) -> Sequence[RegisterAnswer]:
    """The register's answers that the family of a case disputes, in the order in which it did."""
    disputed = select(RegisterAnswer).where(
        RegisterAnswer.application_id == case.application_id, RegisterAnswer.disputed_at.is_not(None)
    )
    return session.scalars(disputed.order_by(RegisterAnswer.disputed_at, RegisterAnswer.fact)).all()


def facts_of(session: Session, case: Case, application: Application) -> DisputeFacts:
    """The facts of a case about this application.  The caller has looked up the case within the official's areas."""
    known = select(Guardianship).join(Guardian, Guardian.id == Guardianship.guardian_id)
    known = known.where(Guardianship.child_id == application.child_id).order_by(Guardianship.since)
    guardianships = session.scalars(known).all()
    by_account = {each.guardian.account_id: each for each in guardianships}
    acts = [
        ProposedAct(
            row,
            by_account.get(row.proposed_by),
            by_account.get(row.ended_by) if row.ended_by else None,
            row.state == DecisionState.WAITING and joint_decisions.is_paused(session, row.act_id),
            row.state == DecisionState.OBJECTED and (row.ended_by, row.ended_at) == (case.account_id, case.opened_at),
        )
        for row in joint_decisions.history(session, application.id)
        if row.reason != joint_decisions.RENEWED  # the same act stands in the list again, with its new time
    ]
    offers = select(Offer).where(Offer.application_id == application.id)
    offer = session.scalars(offers.order_by(Offer.made_at.desc(), Offer.id).limit(1)).first()
    programme = session.get(Programme, offer.programme_id) if offer is not None else None
    return DisputeFacts([each for each in guardianships if each.accepted_at is not None], acts, offer, programme)
