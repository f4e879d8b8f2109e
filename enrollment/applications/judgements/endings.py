"""What the review judged ends with the answers that it judged: findings about claims, and the proposal to refuse."""

import datetime as dt

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.judgements.claimed_values import judged_in
from enrollment.applications.receipts import Comparison
from enrollment.applications.returned_items import RefusalProposal
from enrollment.ground import audit
from enrollment.ground.accounts import Actor

CLAIMING = ("child.born", "claims.", "elder_sibling", "household.")
"""The beginnings of the codes of `contents.changed` that a claimed fact can rest on."""


def end_outdated(
    session: Session, application: Application, comparison: Comparison, *, by: Actor, now: dt.datetime
) -> None:
    """End every judgement of the review that the family's change has left without its answers: `lapse_refusal`, and each
    finding whose fact is no longer claimed or is claimed otherwise.  The finding of a decided correction stays.

    The caller holds the application's lock, has not made the move of the change yet, and writes the compared answers as the
    next version.  Sends no statement where every claim stands and nobody has the application in review.
    """
    lapse_refusal(session, application, by=by, now=now)
    if comparison.before is None or not any(code.startswith(CLAIMING) for code in comparison.changed):
        return
    before, said = judged_in(comparison.said_before), judged_in(comparison.said)
    changed = [fact.value for fact in before if fact not in said or said[fact] != before[fact]]
    if not changed:
        return
    ended = session.execute(
        delete(VerifiedFact)
        .where(
            VerifiedFact.application_id == application.id,
            VerifiedFact.source != "correction",
            VerifiedFact.fact.in_(changed),
        )
        .returning(VerifiedFact.fact, VerifiedFact.outcome, VerifiedFact.source)
    )
    for fact, outcome, source in sorted(tuple(row) for row in ended):
        about = {"fact": fact, "outcome": outcome, "source": source}
        audit.record(session, "end_finding", "application", application.id, by=by, now=now, **about)


def lapse_refusal(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    """End an open proposal to refuse the application undecided, because its family changes or withdraws what was judged.

    The caller holds the application's lock, and has not made the move yet: only an application in review has a proposal that
    waits, so that nothing is asked about any other.
    """
    if application.stage == Stage.IN_REVIEW:
        end_open_proposals(session, application, by=by, now=now)


def end_open_proposals(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> None:
    """End every open proposal to refuse the application undecided, in whatever stage it is."""
    waiting = update(RefusalProposal).where(
        RefusalProposal.application_id == application.id, RefusalProposal.decided_at.is_(None)
    )
    for rule in session.scalars(waiting.values(decided_at=now).returning(RefusalProposal.rule)).all():
        audit.record(session, "lapse_refusal", "application", application.id, by=by, now=now, rule=rule)
