"""The roll itself answers for elder siblings, and the stored rights for bindings of an earlier year: nobody is asked."""

import uuid
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application
from enrollment.applications.register_answers import Answer
from enrollment.eligibility.register_questions import Question
from enrollment.eligibility.sibling_entitlements import Entitlement
from enrollment.ground.classifications import Level
from enrollment.people.person_rows import ChildDocument, Guardianship
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollChild, RollClass
from enrollment.season.facts import Fact

STAYING = (Level.NURSERY, Level.LOWER, Level.MIDDLE, Level.MIXED)
"""Levels whose children are still in the kindergarten in the next school year."""


def answers_from_roll(session: Session, questions: Iterable[Question]) -> list[Answer]:
    """Answers to the questions about siblings and stored rights; `unknown` where our own books know nothing."""
    asked = list(questions)
    known = {
        Fact.SIBLING_AT: _siblings(session, [one.application_id for one in asked if one.fact == Fact.SIBLING_AT]),
        Fact.SIBLING_RIGHT_AT: _rights(
            session, [one.application_id for one in asked if one.fact == Fact.SIBLING_RIGHT_AT]
        ),
    }
    return [_compared(one, known[Fact(one.fact)].get(one.application_id, [])) for one in asked]


def _compared(question: Question, codes: list[str]) -> Answer:
    if question.claimed in codes:
        answer, value = "matches", question.claimed
    elif codes:
        answer, value = "differs", codes[0]
    else:
        answer, value = "unknown", None
    return Answer(question.application_id, question.fact, "roll", answer, value)


def _siblings(session: Session, application_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Where other children of the same guardians stand on the roll and stay for another year."""
    if not application_ids:
        return {}
    mine, theirs = aliased(Guardianship), aliased(Guardianship)
    rows = session.execute(
        select(Application.id, Kindergarten.code)
        .join(mine, mine.child_id == Application.child_id)
        .join(theirs, theirs.guardian_id == mine.guardian_id)
        .join(ChildDocument, ChildDocument.child_id == theirs.child_id)
        .join(RollChild, RollChild.id_index == ChildDocument.person_index)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(
            Application.id.in_(application_ids),
            theirs.child_id != Application.child_id,
            mine.accepted_at.is_not(None),
            theirs.accepted_at.is_not(None),
            RollChild.left_on.is_(None),
            RollClass.school_year == Application.year - 1,
            RollClass.level.in_(STAYING),
        )
        .distinct()
    )
    return _gathered(rows)


def _rights(session: Session, application_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Stored rights that last until the child enters in September."""
    if not application_ids:
        return {}
    rows = session.execute(
        select(Application.id, Kindergarten.code, Entitlement.expires_on, Application.year)
        .join(ChildDocument, ChildDocument.child_id == Application.child_id)
        .join(Entitlement, Entitlement.child_id_index == ChildDocument.person_index)
        .join(Kindergarten, Kindergarten.id == Entitlement.kindergarten_id)
        .where(Application.id.in_(application_ids))
    )
    return _gathered((row.id, row.code) for row in rows if row.expires_on.isoformat() >= f"{row.year}-09-01")


def _gathered(rows) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = {}
    for application_id, code in rows:
        found.setdefault(application_id, []).append(code)
    return found
