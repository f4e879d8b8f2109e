"""The questions to the registers of other departments: each claimed fact of an application that a register holds."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.register_answers import REGISTER_OF, VACCINATION
from enrollment.eligibility.tiers import claimed_facts_of
from enrollment.people.person_rows import Child, Guardian, Guardianship


@dataclass(frozen=True)
class Person:
    """An identity document, as a register needs it to find somebody."""

    id_kind: str
    id_number: str


@dataclass(frozen=True)
class Question:
    """One fact of one application for one register; `claimed` is the value that the family claims."""

    application_id: uuid.UUID
    fact: str
    register: str
    claimed: Any
    child: Person
    guardians: tuple[Person, ...]


def questions_about(session: Session, application_ids: Iterable[uuid.UUID]) -> list[Question]:
    """The questions about these applications: each claimed fact that a register holds, and the vaccination."""
    ids = list(application_ids)
    children = session.execute(
        select(Application.id, Application.child_id, Child.id_kind, Child.id_number)
        .join(Child, Child.id == Application.child_id)
        .where(Application.id.in_(ids))
    ).all()
    guardians = _guardians(session, [row.child_id for row in children])
    claimed = claimed_facts_of(session, ids)
    return [
        Question(
            row.id,
            str(fact),
            REGISTER_OF[fact],
            value,
            Person(row.id_kind, row.id_number),
            guardians.get(row.child_id, ()),
        )
        for row in children
        for fact, value in (claimed[row.id] | {VACCINATION: None}).items()
        if fact in REGISTER_OF
    ]


def _guardians(session: Session, child_ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[Person, ...]]:
    rows = session.execute(
        select(Guardianship.child_id, Guardian.id_kind, Guardian.id_number)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(
            Guardianship.child_id.in_(child_ids),
            Guardianship.accepted_at.is_not(None),
            Guardian.id_number.is_not(None),
        )
        .order_by(Guardianship.since)
    )
    found: dict[uuid.UUID, tuple[Person, ...]] = {}
    for row in rows:
        found[row.child_id] = (*found.get(row.child_id, ()), Person(row.id_kind, row.id_number))
    return found
