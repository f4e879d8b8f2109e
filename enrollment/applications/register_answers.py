"""What the registers of other departments answered about an application, with source and date.

A register is asked only where the family consents, and only about what it claims; every answer is open to dispute.
`eligibility/register_questions.py` builds the questions; the portal's gateway sends them.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    DateTime,
    ForeignKey,
    Text,
    Uuid,
    and_,
    cast,
    column,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications import applications, elder_siblings
from enrollment.applications.application_rows import guardians_account
from enrollment.applications.applications import Application, ApplicationVersion
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound
from enrollment.people import consents
from enrollment.people.consents import Consent
from enrollment.season.facts import Fact

REGISTERS = ("household_register", "property", "residence_permit", "social_insurance", "vaccination", "roll")
ANSWERS = ("matches", "differs", "unknown", "unavailable")
VACCINATION = "vaccination"
"""Asked of every child, because the kindergarten looks at it on arrival; it is no fact and plays no part in a tier."""

REGISTER_OF: dict[str, str] = {
    Fact.BORN: "household_register",
    Fact.HUKOU_AREA: "household_register",
    Fact.HUKOU_KIND: "household_register",
    Fact.HUKOU_STREET: "household_register",
    Fact.CHILDREN_IN_FAMILY: "household_register",
    Fact.HOME_AREA: "property",
    Fact.HOME_PLACE: "property",
    Fact.HOME_OWNED: "property",
    Fact.WORK_AREA: "social_insurance",
    Fact.RESIDENCE_PERMIT_AREA: "residence_permit",
    Fact.SIBLING_AT: "roll",
    Fact.SIBLING_RIGHT_AT: "roll",
    VACCINATION: "vaccination",
}
"""Whom a fact is asked of.  Policy care, staff children and special needs are in no register that we may ask."""

RETRY = dt.timedelta(minutes=10)
"""How long an answer `unavailable` stands before the register is asked again."""


class RegisterAnswer(Base):
    """`matches` / `differs` / `unknown` / `unavailable`; `value` is the fact as the register has it."""

    __tablename__ = "register_answer"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    fact: Mapped[str] = mapped_column(primary_key=True)
    register: Mapped[str]
    answer: Mapped[str]
    value: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    at: Mapped[dt.datetime]
    disputed_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("answer IN ('matches','differs','unknown','unavailable')", name="known_answer"),
        CheckConstraint("register IN ('" + "','".join(REGISTERS) + "')", name="known_register"),
    )


def handed_in_at() -> ColumnElement[dt.datetime]:
    """When what the application says now was handed in; what a register said before that is about something else."""
    newest = select(func.max(ApplicationVersion.submitted_at)).where(
        ApplicationVersion.application_id == Application.id
    )
    return func.coalesce(newest.correlate(Application).scalar_subquery(), Application.submitted_at)


def is_current() -> ColumnElement[bool]:
    """The answer belongs to the application of the enclosing query, as it was handed in last."""
    return and_(RegisterAnswer.application_id == Application.id, RegisterAnswer.at >= handed_in_at())


@dataclass(frozen=True)
class Answer:
    application_id: uuid.UUID
    fact: str
    register: str
    answer: str
    value: Any = None


def to_ask(
    session: Session, *, now: dt.datetime, limit: int | None = None, only: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """Applications (or the one of `only`) that wait for a review and that no register was asked about since they were
    handed in."""
    asked = exists().where(is_current())
    silent = exists().where(
        RegisterAnswer.application_id == Application.id,
        RegisterAnswer.answer == "unavailable",
        RegisterAnswer.at < now - RETRY,
    )
    consent = exists().where(
        Consent.account_id == guardians_account(),
        Consent.kind == consents.REGISTER_CHECK,
        Consent.withdrawn_at.is_(None),
    )
    waiting = select(Application.id).where(Application.stage.in_(AWAITING_DECISION), consent, or_(~asked, silent))
    if only is not None:
        waiting = waiting.where(Application.id == only)
    return list(session.scalars(waiting.order_by(Application.submitted_at, Application.id).limit(limit)))


def note(session: Session, answers: Iterable[Answer], *, now: dt.datetime) -> int:
    """Keep the answers; a later one replaces the earlier one, and with it the family's dispute.  Returns how many.

    A register that cannot be reached does not take away what it answered before.
    """
    rows = {
        (each.application_id, each.fact): {
            "application_id": str(each.application_id),
            "fact": each.fact,
            "register": each.register,
            "answer": each.answer,
            "value": each.value,
        }
        for each in answers
    }
    if not rows:
        return 0
    said = func.jsonb_to_recordset(cast(list(rows.values()), JSONB)).table_valued(
        column("application_id", Uuid), column("fact", Text), column("register", Text), column("answer", Text),
        column("value", JSONB), name="said",
    ).render_derived(with_types=True)  # fmt: skip
    fresh = insert(RegisterAnswer).from_select(
        ["application_id", "fact", "register", "answer", "value", "at"],
        select(*said.c, literal(now, DateTime(timezone=True))),
    )
    replaced = {name: fresh.excluded[name] for name in ("register", "answer", "value", "at", "disputed_at")}
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["application_id", "fact"],
            set_=replaced,
            where=or_(fresh.excluded.answer != "unavailable", RegisterAnswer.answer == "unavailable"),
        )
    )
    return len(rows)


def answers_of(session: Session, application_id: uuid.UUID) -> dict[str, RegisterAnswer]:
    """What the registers said of an application since it was last handed in, by fact."""
    said = (
        select(RegisterAnswer)
        .join(Application, Application.id == RegisterAnswer.application_id)
        .where(Application.id == application_id, is_current())
    )
    return {answer.fact: answer for answer in session.scalars(said.execution_options(populate_existing=True))}


def answers_for_family(session: Session, application_id: uuid.UUID) -> dict[str, RegisterAnswer]:
    """The same as far as the family reads it: what our roll says of an elder sibling whom it only named is the clerk's.

    Anybody could name any child of the city, and learn its kindergarten.
    """
    said = answers_of(session, application_id)
    if elder_siblings.of(session, application_id) is not None:
        said.pop(Fact.SIBLING_AT, None)
    return said


def may_be_asked(session: Session, application: Application) -> bool:
    """Whether the family consents to our asking."""
    consent = select(Consent.id).where(
        Consent.account_id == (application.entered_for or application.entered_by),
        Consent.kind == consents.REGISTER_CHECK,
        Consent.withdrawn_at.is_(None),
    )
    return session.scalar(consent.limit(1)) is not None


def being_asked(session: Session, application: Application) -> bool:
    """Handed in and not answered yet: the question is on its way."""
    waits = application.stage in AWAITING_DECISION and may_be_asked(session, application)
    return waits and not answers_of(session, application.id)


def keeping_silent_or_agreeing(session: Session, application: Application) -> set[str]:
    """Facts that outside registers are asked about and of which they have said nothing against the family so far.

    Empty without consent.  Our own roll is left out: it knows an elder sibling only where its guardians are known to us.
    """
    if not may_be_asked(session, application):
        return set()
    against = {
        fact
        for fact, said in answers_of(session, application.id).items()
        if said.answer in ("differs", "unknown") or said.disputed_at is not None
    }
    return {fact for fact, register in REGISTER_OF.items() if register != "roll"} - against


def dispute(session: Session, application_id: uuid.UUID, fact: str, *, by: Actor, now: dt.datetime) -> None:
    """The family says that a register is wrong about it; a clerk then looks at papers instead."""
    require_oneself(by)
    applications.own(session, application_id, by=by)
    answer = session.get(RegisterAnswer, (application_id, fact))
    if answer is None:
        raise NotFound("register_answer")
    if answer.disputed_at is None:
        answer.disputed_at = now
        audit.record(session, "dispute", "application", application_id, by=by, now=now, fact=fact)
        session.flush()
