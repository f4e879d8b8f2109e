"""What a clerk has to look at in each application of a list: read for all lines together, in a fixed number of queries."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.claim_rows import Claim, VerifiedFact, waits_for_second
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.register_answers import RegisterAnswer
from enrollment.applications.returned_items import RefusalProposal, ReturnedItem
from enrollment.eligibility.tiers import claimed_facts_of
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact, Ground


@dataclass(frozen=True)
class Difference:
    """A fact about which a register disagrees with the family; `registered` is None if the register gives no value."""

    fact: Fact
    claimed: Any
    registered: Any
    disputed: bool


@dataclass(frozen=True)
class Asked:
    """An item that the family was asked to complete; `answered_at` is None while it has not answered.

    `answer_by` is the last moment that a clerk chose for its answer.
    """

    item: str
    asked_at: dt.datetime
    answer_by: dt.datetime | None
    answered_at: dt.datetime | None


@dataclass
class Details:
    """`papers`: the documents with the number of their pages.  `refusal`: the open proposal to refuse.

    `silent`: the claimed facts that no register answered.  `second_opinions`: the facts that wait for a second person, with
    the reasons of the first.
    """

    grounds: list[Ground] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    silent: list[Fact] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    papers: list[tuple[Document, int]] = field(default_factory=list)
    refusal: RefusalProposal | None = None
    second_opinions: list[tuple[Fact, str | None]] = field(default_factory=list)


def details_of(session: Session, application_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Details]:
    """The details of these applications, which the caller has found within the actor's scope."""
    found = {application_id: Details() for application_id in application_ids}
    if not found:
        return found
    claims = select(Claim.application_id, Claim.ground).where(Claim.application_id.in_(found))
    for application_id, ground in session.execute(claims):
        found[application_id].grounds.append(Ground(ground))
    claimed = claimed_facts_of(session, found)
    known = {fact.value for fact in Fact}
    answers = select(RegisterAnswer).where(RegisterAnswer.application_id.in_(found))
    answered: dict[uuid.UUID, set[Fact]] = {}
    for answer in session.scalars(answers.order_by(RegisterAnswer.fact)):
        if answer.fact not in known or Fact(answer.fact) not in claimed.get(answer.application_id, {}):
            continue
        fact = Fact(answer.fact)
        if answer.answer in ("matches", "differs"):
            answered.setdefault(answer.application_id, set()).add(fact)
        if answer.answer == "differs" or answer.disputed_at is not None:
            value = claimed[answer.application_id][fact]
            disputed = answer.disputed_at is not None
            found[answer.application_id].differences.append(Difference(fact, value, answer.value, disputed))
    for application_id, facts in claimed.items():
        silent = set(facts) - answered.get(application_id, set())
        found[application_id].silent = [fact for fact in Fact if fact in silent]
    items = select(ReturnedItem).where(ReturnedItem.application_id.in_(found)).order_by(ReturnedItem.asked_at)
    for item in session.scalars(items):
        found[item.application_id].asked.append(Asked(item.item, item.asked_at, item.answer_by, item.answered_at))
    pages = (
        select(EvidencePage.application_id, EvidencePage.document, func.count())
        .where(EvidencePage.application_id.in_(found), EvidencePage.removed_at.is_(None))
        .group_by(EvidencePage.application_id, EvidencePage.document)
    )
    for application_id, document, number in session.execute(pages):
        found[application_id].papers.append((Document(document), number))
    waiting = select(RefusalProposal).where(
        RefusalProposal.application_id.in_(found), RefusalProposal.decided_at.is_(None)
    )
    for proposal in session.scalars(waiting):
        found[proposal.application_id].refusal = proposal
    second = select(VerifiedFact.application_id, VerifiedFact.fact, VerifiedFact.reason).where(
        VerifiedFact.application_id.in_(found), waits_for_second()
    )
    for application_id, fact_code, reason in session.execute(second):
        found[application_id].second_opinions.append((Fact(fact_code), reason))
    for details in found.values():
        details.grounds.sort(key=list(Ground).index)
    return found
