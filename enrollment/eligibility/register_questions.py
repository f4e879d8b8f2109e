"""The questions to registers: each claimed fact of an application that a register holds which its family agrees to ask.

This module alone makes a `Question`, and every question carries the consent under which it is asked: without the live
consent to ask a register, there is nothing that could be sent to it. The constructor refuses every other caller, and an
import contract in `setup.cfg` names the modules that may import this one.
"""

import uuid
from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from typing import Any, final

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import guardians_account
from enrollment.applications.applications import Application
from enrollment.applications.register_answers import REGISTER_OF, VACCINATION
from enrollment.eligibility.tiers import claimed_facts, claimed_facts_of
from enrollment.people.consents import REGISTER_OF_KIND, Consent, Register
from enrollment.people.person_rows import Child, Guardian, Guardianship


@dataclass(frozen=True)
class Person:
    """An identity document, as a register needs it to find somebody."""

    id_kind: str
    id_number: str


_OF_THE_JOIN = object()
"""What `questions_about` shows to the constructor of a question."""


@final
@dataclass(frozen=True)
class Question:
    """One fact of one application for one register; `claimed` is the value that the family claims.

    `consent` is the id of the consent to ask this register. Only the join with the live consents makes a question: the
    constructor raises `TypeError` for every other caller, and for a copy with another value.
    """

    application_id: uuid.UUID
    fact: str
    register: str
    claimed: Any
    child: Person
    guardians: tuple[Person, ...]
    consent: uuid.UUID
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _OF_THE_JOIN:
            raise TypeError("a question is made from a live consent: call questions_about")

    def __init_subclass__(cls) -> None:
        raise TypeError("a question of another kind would not be bound to a consent")


def questions_about(session: Session, application_ids: Iterable[uuid.UUID]) -> list[Question]:
    """The questions about these applications: each claimed fact, and the vaccination, that a register holds which the
    family agrees to ask."""
    ids = list(application_ids)
    children = session.execute(
        select(Application.id, Application.child_id, Child.id_kind, Child.id_number)
        .join(Child, Child.id == Application.child_id)
        .where(Application.id.in_(ids))
    ).all()
    guardians = _guardians(session, [row.child_id for row in children])
    claimed, agreed = claimed_facts_of(session, ids), _agreed(session, ids)
    return [
        Question(
            row.id,
            str(fact),
            REGISTER_OF[fact],
            value,
            Person(row.id_kind, row.id_number),
            guardians.get(row.child_id, ()),
            agreed[row.id, REGISTER_OF[fact]],
            _OF_THE_JOIN,
        )
        for row in children
        for fact, value in (claimed[row.id] | {VACCINATION: None}).items()
        if fact in REGISTER_OF and (row.id, REGISTER_OF[fact]) in agreed
    ]


def registers_about(session: Session, application_id: uuid.UUID) -> list[Register]:
    """The registers that hold something that this application claims, or the vaccination: those worth a consent."""
    asked = {REGISTER_OF[fact] for fact in claimed_facts(session, application_id) if fact in REGISTER_OF}
    return [register for register in Register if register in asked | {REGISTER_OF[VACCINATION]}]


def _agreed(session: Session, ids: list[uuid.UUID]) -> dict[tuple[uuid.UUID, Register], uuid.UUID]:
    """The live consent to each register that the family of each application agrees to ask."""
    given = and_(
        Consent.account_id == guardians_account(),
        Consent.kind.in_(REGISTER_OF_KIND),
        Consent.withdrawn_at.is_(None),
    )
    rows = session.execute(
        select(Application.id, Consent.kind, Consent.id.label("consent"))
        .join(Consent, given)
        .where(Application.id.in_(ids))
    )
    return {(row.id, REGISTER_OF_KIND[row.kind]): row.consent for row in rows}


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
