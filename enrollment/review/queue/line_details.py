"""What a clerk has to look at in each application of a list: read for all lines together, in one statement."""

import datetime as dt
import functools
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, func, select
from sqlalchemy.orm import Session

from enrollment.applications.claim_rows import CLAIMS, VerifiedFact, waits_for_second
from enrollment.applications.evidence_rows import EvidencePage
from enrollment.applications.judgements.claimed_values import claimed_of
from enrollment.applications.register_answers import REGISTER_ANSWERS, RegisterAnswer
from enrollment.applications.returned_items import RETURNED_ITEMS, RefusalProposal
from enrollment.ground.reading.read_ahead import Read, compiled
from enrollment.ground.sealed.codes import code_of
from enrollment.people.household_rows import HOUSEHOLDS
from enrollment.review.queue.filters import Group
from enrollment.review.queue.lines import Line
from enrollment.review.queue.task_groups import TO_OPEN
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


OPEN_REFUSALS = Read(RefusalProposal, RefusalProposal.application_id, (RefusalProposal.decided_at.is_(None),))
SECOND_FACTS = Read(VerifiedFact, VerifiedFact.application_id, (waits_for_second(),))
COMPARED = (CLAIMS, HOUSEHOLDS, REGISTER_ANSWERS)
ASKED_BACK: tuple[Read[Any], ...] = (RETURNED_ITEMS,)
OF_SECOND: tuple[Read[Any], ...] = (OPEN_REFUSALS, SECOND_FACTS)
READS: tuple[Read[Any], ...] = (*COMPARED, *ASKED_BACK, *OF_SECOND)


def details_of(session: Session, lines: Collection[Line]) -> dict[uuid.UUID, Details]:
    """The details of these lines in one statement, which reads of each what a line of its group tells."""
    found = {line.application_id: Details() for line in lines}
    if not found:
        return found
    groups: dict[Group, list[uuid.UUID]] = {}
    for line in lines:
        groups.setdefault(line.group, []).append(line.application_id)
    ids = {
        "compared": [each for group in TO_OPEN for each in groups.get(group, [])],
        "claimed": list(found),
        "asked": [each for group in (Group.ANSWERED, Group.RETURNED) for each in groups.get(group, [])],
        "second": groups.get(Group.SECOND, []),
    }
    *rows, papers = session.connection().exec_driver_sql(_statement(), ids).scalar_one()
    read: dict[Read[Any], list[Any]] = {
        each: [each.shape.object(session, values) for values in listed or ()]
        for each, listed in zip(READS, rows, strict=True)
    }
    for claim in read[CLAIMS]:
        found[claim.application_id].grounds.append(Ground(claim.ground))
    compared = set(ids["compared"])
    born = {line.application_id: line.born for line in lines if line.application_id in compared}
    _compare(found, _claimed(read, born), read[REGISTER_ANSWERS])
    for item in sorted(read[RETURNED_ITEMS], key=lambda each: each.asked_at):
        found[item.application_id].asked.append(Asked(item.item, item.asked_at, item.answer_by, item.answered_at))
    for application_id, document, number in papers or ():
        found[uuid.UUID(application_id)].papers.append((Document(code_of(document)), number))
    for proposal in read[OPEN_REFUSALS]:
        found[proposal.application_id].refusal = proposal
    for fact in read[SECOND_FACTS]:
        found[fact.application_id].second_opinions.append((Fact(fact.fact), fact.reason))
    for details in found.values():
        details.grounds.sort(key=list(Ground).index)
    return found


def _claimed(
    read: Mapping[Read[Any], list[Any]], born: Mapping[uuid.UUID, dt.date]
) -> dict[uuid.UUID, dict[Fact, Any]]:
    """The facts that the family of each application claims."""
    claims: dict[uuid.UUID, dict[str, dict[str, Any]]] = {}
    for claim in read[CLAIMS]:
        claims.setdefault(claim.application_id, {})[claim.ground] = claim.details
    households = {household.application_id: household for household in read[HOUSEHOLDS]}
    return {each: claimed_of(day.isoformat(), households.get(each), claims.get(each, {})) for each, day in born.items()}


def _compare(
    found: Mapping[uuid.UUID, Details], claimed: Mapping[uuid.UUID, Mapping[Fact, Any]], answers: list[RegisterAnswer]
) -> None:
    """Where registers differ from what is claimed, and what none of them answered."""
    known = {fact.value for fact in Fact}
    answered: dict[uuid.UUID, set[Fact]] = {}
    for answer in sorted(answers, key=lambda each: each.fact):
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


@functools.cache
def _statement() -> str:
    """The statement: a column for each of `READS`, and the pages of each document."""

    def among(name: str) -> ColumnElement[Any]:
        return any_(bindparam(name, type_=ARRAY(Uuid())))

    names = (
        dict.fromkeys(COMPARED, "compared") | dict.fromkeys(ASKED_BACK, "asked") | dict.fromkeys(OF_SECOND, "second")
    )
    names[CLAIMS] = "claimed"
    counted = (
        select(EvidencePage.application_id, EvidencePage.document, func.count().label("pages"))
        .where(EvidencePage.application_id == among("compared"), EvidencePage.removed_at.is_(None))
        .group_by(EvidencePage.application_id, EvidencePage.document)
        .subquery()
    )
    row = func.json_build_array(counted.c.application_id, counted.c.document, counted.c.pages)
    columns = [*(read.as_json(among(names[read])) for read in READS), select(func.json_agg(row)).select_from(counted)]
    return compiled(select(func.json_build_array(*(each.scalar_subquery() for each in columns))))
