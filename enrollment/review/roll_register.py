"""Register answers from our own data: the roll for elder siblings, the stored rights for bindings of an earlier year."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from enrollment.applications import elder_siblings
from enrollment.applications.applications import Application
from enrollment.applications.elder_siblings import ElderSibling
from enrollment.applications.register_answers import Answer, may_be_asked
from enrollment.eligibility.register_questions import Question
from enrollment.eligibility.sibling_entitlements import Entitlement
from enrollment.ground.classifications import Level
from enrollment.ground.identity import birth_date_in
from enrollment.ground.vault import normalise
from enrollment.people.consents import Register
from enrollment.people.person_rows import ChildDocument, Guardianship
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll import RollChild, RollClass
from enrollment.places.roll_rows import school_from
from enrollment.season.facts import Fact

STAYING = (Level.NURSERY, Level.LOWER, Level.MIDDLE, Level.MIXED)
"""Levels whose children are still in the kindergarten in the next school year."""


def answers_from_roll(session: Session, questions: Iterable[Question]) -> list[Answer]:
    """Answers to the questions about siblings and stored rights; `unknown` if our data have no matching row."""
    asked = list(questions)
    about_siblings = [one for one in asked if one.fact == Fact.SIBLING_AT]
    known = {
        Fact.SIBLING_AT: _merged(
            _siblings(session, [one.application_id for one in about_siblings]),
            _named_elders(session, {one.application_id: one.claimed for one in about_siblings}),
        ),
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
    """The kindergartens where other children of the same guardians are on the roll and stay for another year."""
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


def _named_elders(session: Session, claimed: Mapping[uuid.UUID, str]) -> dict[uuid.UUID, list[str]]:
    """The kindergarten of the elder sibling that a family names: found by number in the whole city, else by name and
    birth date at the claimed kindergarten.  Only if exactly one child matches."""
    named = session.scalars(select(ElderSibling).where(ElderSibling.application_id.in_(claimed)))
    found = {}
    for elder in named:
        codes = _by_number(session, elder) or _by_birth_date(session, elder, claimed[elder.application_id])
        if len(codes) == 1:
            found[elder.application_id] = codes
    return found


@dataclass(frozen=True)
class OnRoll:
    """The elder sibling that a family names, and how many children on the claimed kindergarten's roll match (`hits`)."""

    elder: ElderSibling
    hits: int


def elder_on_roll(session: Session, application_id: uuid.UUID, claimed: str | None) -> OnRoll | None:
    """The match on the roll, for the clerk, who checks papers if no child or several match.  Never shown to a family.

    None where the family does not agree to ask the roll.
    """
    elder = elder_siblings.of(session, application_id)
    if elder is None or claimed is None:
        return None
    if Register.ROLL not in may_be_asked(session, session.get_one(Application, application_id)):
        return None
    found = _by_number(session, elder)
    return OnRoll(elder, len([code for code in found if code == claimed] or _by_birth_date(session, elder, claimed)))


def _staying(year: int) -> Select:
    """Children on the roll of the previous school year, in classes that stay for another year."""
    return (
        select(RollChild, Kindergarten.code)
        .join(RollClass, RollClass.id == RollChild.class_id)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollChild.left_on.is_(None), RollClass.school_year == year - 1, RollClass.level.in_(STAYING))
    )


def _year_of(session: Session, elder: ElderSibling) -> int:
    return session.get_one(Application, elder.application_id).year


def _by_number(session: Session, elder: ElderSibling) -> list[str]:
    if elder.id_index is None:
        return []
    rows = session.execute(_staying(_year_of(session, elder)).where(RollChild.id_index == elder.id_index))
    return [row.code for row in rows]


def _by_birth_date(session: Session, elder: ElderSibling, claimed: str) -> list[str]:
    """One code for each child of that name and birth date.  The date may be stored only in the child's number."""
    if elder.born is None:
        return []
    born = dt.date.fromisoformat(elder.born)
    rows = session.execute(
        _staying(_year_of(session, elder)).where(
            Kindergarten.code == claimed,
            or_(RollChild.school_from == school_from(born), RollChild.school_from.is_(None)),
        )
    )
    name = normalise(elder.name)
    return [row.code for row in rows if normalise(row.RollChild.name) == name and _birth_date(row.RollChild) == born]


def _birth_date(child: RollChild) -> dt.date | None:
    if child.born is not None or not child.id_number or len(child.id_number) != 18:
        return child.born
    try:
        return birth_date_in(child.id_number)
    except ValueError:
        return None


def _merged(*found: dict[uuid.UUID, list[str]]) -> dict[uuid.UUID, list[str]]:
    codes: dict[uuid.UUID, list[str]] = {}
    for each in found:
        for application_id, more in each.items():
            codes.setdefault(application_id, []).extend(more)
    return codes


def _rights(session: Session, application_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """Stored rights that are still valid when the child enters in September."""
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
