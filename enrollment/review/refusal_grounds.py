"""Whether the data of this system agree with a proposed refusal, and what the refusal rests on."""

import uuid

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.claim_rows import VERIFIED_FACTS, VerifiedFact
from enrollment.applications.evidence_rows import pages_of
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.applications.register_answers import RegisterAnswer, answers_of
from enrollment.applications.returned_items import REFUSAL_RULES
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.errors import Refused
from enrollment.people.duplicate_rows import DuplicateHint, Verdict
from enrollment.season import ages
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact

IDENTITY = "identity"
"""What the refusal of a duplicate rests on."""


def require(session: Session, application: Application, rule: str, fact: str | None) -> str:
    """What the refusal rests on: a fact, a document, or `IDENTITY`.

    Refuses `age_fits`, `no_duplicate_known`, `refusal_fact_missing`, `fact_stands`.
    """
    if rule == "age":
        return _age(application)
    if rule == "duplicate":
        return _duplicate(session, application)
    return _falsehood(session, application, fact)


def possible_grounds(session: Session, application: Application) -> list[str]:
    """The facts and documents about which a statement can be shown to be false, from what is known here."""
    found = {row.fact: row for row in VERIFIED_FACTS.of(session, application.id)}
    answers, claimed = answers_of(session, application.id), claimed_facts(session, application.id)
    facts = [
        fact.value
        for fact, value in claimed.items()
        if _is_contradicted(value, found.get(fact.value), answers.get(fact.value))
    ]
    return [*facts, *pages_of(session, application.id)]


def possible_rules(session: Session, application: Application) -> list[str]:
    """The rules that the data of this system allow, in the order of `REFUSAL_RULES`."""
    possible = {
        "age": not _age_fits(application),
        "duplicate": _is_known_twice(session, application),
        "falsehood": bool(possible_grounds(session, application)),
    }
    return [rule for rule in REFUSAL_RULES if possible[rule]]


def _age(application: Application) -> str:
    """The birth date, which registers confirm, decides: a child whose age fits its class level is not refused for age."""
    if _age_fits(application):
        raise Refused("age_fits", field="rule")
    return Fact.BORN.value


def _age_fits(application: Application) -> bool:
    return ages.level_for(application.child.born, application.year) == application.level


def _duplicate(session: Session, application: Application) -> str:
    if not _is_known_twice(session, application):
        raise Refused("no_duplicate_known", field="rule")
    return IDENTITY


def _is_known_twice(session: Session, application: Application) -> bool:
    return bool(others_handed_in(session, application))


def others_handed_in(session: Session, application: Application) -> list[uuid.UUID]:
    """The applications of the same year that are handed in and may be of the same child, by id: one of them has to remain."""
    child = application.child_id
    pair = or_(
        and_(DuplicateHint.child_a == child, DuplicateHint.child_b == Application.child_id),
        and_(DuplicateHint.child_b == child, DuplicateHint.child_a == Application.child_id),
    )
    found = (
        select(Application.id)
        .join(DuplicateHint, pair)
        .where(or_(DuplicateHint.verdict.is_(None), DuplicateHint.verdict == Verdict.SAME))
        .where(Application.year == application.year, Application.stage.in_(HANDED_IN))
        .order_by(Application.id)
    )
    return list(session.scalars(found))


def _falsehood(session: Session, application: Application, fact: str | None) -> str:
    if fact is None or fact not in {*Fact, *Document}:
        raise Refused("refusal_fact_missing", field="fact")
    if fact not in possible_grounds(session, application):
        raise Refused("fact_stands", field="fact")
    return fact


def _is_contradicted(claimed: object, finding: VerifiedFact | None, answer: RegisterAnswer | None) -> bool:
    if finding is not None:
        return finding.outcome == "declined" or finding.value != claimed
    return answer is not None and answer.answer == "differs"
