"""What the registers of other departments answered about an application, with source and date.

A register is asked only with the family's consent to ask this register, and only about claimed facts; a family can
dispute every answer.
`eligibility/register_questions.py` builds the questions; the portal's gateway sends them.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import DateTime, Text, Uuid, and_, cast, column, exists, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from enrollment.applications import applications, elder_siblings
from enrollment.applications.application_rows import VERSIONS, guardians_account
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.applications.registers.answer_rows import (
    ANSWERS,
    REGISTER_ANSWERS,
    REGISTERS,
    RegisterAnswer,
    handed_in_at,
    is_current,
)
from enrollment.applications.registers.comparison import note_states
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.errors import NotFound
from enrollment.ground.sealed.values import row_of
from enrollment.people import consents
from enrollment.people.consents import Consent, Register
from enrollment.season.facts import Fact

__all__ = ["ANSWERS", "REGISTERS", "REGISTER_ANSWERS", "RegisterAnswer", "handed_in_at", "is_current"]

_TABLE: Any = RegisterAnswer.__table__
VACCINATION = "vaccination"
"""Asked for every child, because the kindergarten checks it on arrival; it is not a fact and does not affect a tier."""

REGISTER_OF: dict[str, Register] = {
    Fact.BORN: Register.HOUSEHOLD,
    Fact.HUKOU_AREA: Register.HOUSEHOLD,
    Fact.HUKOU_KIND: Register.HOUSEHOLD,
    Fact.HUKOU_STREET: Register.HOUSEHOLD,
    Fact.CHILDREN_IN_FAMILY: Register.HOUSEHOLD,
    Fact.HOME_AREA: Register.PROPERTY,
    Fact.HOME_PLACE: Register.PROPERTY,
    Fact.HOME_OWNED: Register.PROPERTY,
    Fact.WORK_AREA: Register.SOCIAL_INSURANCE,
    Fact.RESIDENCE_PERMIT_AREA: Register.RESIDENCE_PERMIT,
    Fact.SIBLING_AT: Register.ROLL,
    Fact.SIBLING_RIGHT_AT: Register.ROLL,
    VACCINATION: Register.VACCINATION,
}
"""The register to ask about each fact.  Policy care, staff children and special needs are in no available register."""

RETRY = dt.timedelta(minutes=10)
"""How long to wait after the answer `unavailable` before the register is asked again."""


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
    """Applications (or only the one of `only`) that wait for a review and whose family agrees to ask a register: without an
    answer since they were handed in, with an answer `unavailable` older than `RETRY`, or with a consent given after the
    last answer."""
    asked = exists().where(is_current())
    silent = exists().where(
        RegisterAnswer.application_id == Application.id,
        RegisterAnswer.answer == "unavailable",
        RegisterAnswer.at < now - RETRY,
    )
    last_answer = select(func.max(RegisterAnswer.at)).where(is_current()).correlate(Application).scalar_subquery()
    live = and_(
        Consent.account_id == guardians_account(),
        Consent.kind.in_(consents.REGISTER_OF_KIND),
        Consent.withdrawn_at.is_(None),
    )
    waiting = select(Application.id).where(
        Application.stage.in_(AWAITING_DECISION),
        exists().where(live),
        or_(~asked, silent, exists().where(live, Consent.given_at > last_answer)),
    )
    if only is not None:
        waiting = waiting.where(Application.id == only)
    return list(session.scalars(waiting.order_by(Application.submitted_at, Application.id).limit(limit)))


def note(session: Session, answers: Iterable[Answer], *, now: dt.datetime) -> int:
    """Store the answers; a later one replaces the earlier one and the family's dispute of it.  Returns how many.

    An answer `unavailable` does not replace an earlier answer.
    """
    rows = {
        (each.application_id, each.fact): {
            "application_id": str(each.application_id),
            "fact": each.fact,
            "register": each.register,
            "answer": each.answer,
            "value": _sealed_hex(each),
        }
        for each in answers
    }
    if not rows:
        return 0
    said = func.jsonb_to_recordset(cast(list(rows.values()), JSONB)).table_valued(
        column("application_id", Uuid), column("fact", Text), column("register", Text), column("answer", Text),
        column("value", Text), name="said",
    ).render_derived(with_types=True)  # fmt: skip
    fresh = insert(RegisterAnswer).from_select(
        ["application_id", "fact", "register", "answer", "value", "at"],
        select(*list(said.c)[:-1], func.decode(said.c.value, "hex"), literal(now, DateTime(timezone=True))),
    )
    replaced = {name: fresh.excluded[name] for name in ("register", "answer", "value", "at", "disputed_at")}
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["application_id", "fact"],
            set_=replaced,
            where=or_(fresh.excluded.answer != "unavailable", RegisterAnswer.answer == "unavailable"),
        )
    )
    note_states(session, {application_id for application_id, _fact in rows})
    return len(rows)


def _sealed_hex(answer: Answer) -> str | None:
    row = row_of(_TABLE, (answer.application_id, answer.fact))
    sealed = RegisterAnswer.value.type.sealed(answer.value, row)
    return None if sealed is None else sealed.hex()


def answers_of(session: Session, application_id: uuid.UUID) -> dict[str, RegisterAnswer]:
    """The register answers about an application since it was last handed in, by fact."""
    known = REGISTER_ANSWERS.ahead(session, application_id)
    if known is not None:
        handed_in = _handed_in_at(session, application_id)
        return {each.fact: each for each in known if handed_in is not None and each.at >= handed_in}
    said = (
        select(RegisterAnswer)
        .join(Application, Application.id == RegisterAnswer.application_id)
        .where(Application.id == application_id, is_current())
    )
    return {answer.fact: answer for answer in session.scalars(said.execution_options(populate_existing=True))}


def _told(session: Session, application_id: uuid.UUID) -> list[tuple[str, str, dt.datetime | None]]:
    """The same as fact, answer and time of the family's dispute."""
    known = REGISTER_ANSWERS.values_ahead(session, application_id, "fact", "answer", "disputed_at", "at")
    if known is None:
        said = answers_of(session, application_id).values()
        return [(each.fact, each.answer, each.disputed_at) for each in said]
    handed_in = _handed_in_at(session, application_id)
    return [
        (fact, answer, disputed_at)
        for fact, answer, disputed_at, at in known
        if handed_in is not None and at >= handed_in
    ]


def _handed_in_at(session: Session, application_id: uuid.UUID) -> dt.datetime | None:
    """When the application was handed in last, as it was read ahead."""
    return max((each.submitted_at for each in VERSIONS.of(session, application_id)), default=None)


def answers_for_family(session: Session, application_id: uuid.UUID) -> dict[str, RegisterAnswer]:
    """The answers that the family may see: without the roll's answer about an elder sibling that it only named.

    Otherwise anybody could name any child of the city and learn its kindergarten.
    """
    said = answers_of(session, application_id)
    if elder_siblings.of(session, application_id) is not None:
        said.pop(Fact.SIBLING_AT, None)
    return said


def may_be_asked(session: Session, application: Application) -> dict[Register, Consent]:
    """The registers that the family agrees to ask about this application, each with its consent."""
    return consents.registers_of(session, application.entered_for or application.entered_by)


def registers_asked(session: Session, application: Application) -> set[Register]:
    """The same without the consents."""
    return consents.agreed_registers(session, application.entered_for or application.entered_by)


def being_asked(session: Session, application: Application) -> set[str]:
    """The facts about which a register is to be asked that has not answered about this application yet."""
    if application.stage not in AWAITING_DECISION:
        return set()
    asked = may_be_asked(session, application)
    answered = {said.register for said in answers_of(session, application.id).values()}
    return {fact for fact, register in REGISTER_OF.items() if register in asked and register not in answered}


def keeping_silent_or_agreeing(session: Session, application: Application) -> set[str]:
    """Facts that outside registers are asked about and have not contradicted so far.

    Without the facts of registers that the family does not agree to ask.  Our own roll is left out: it finds an elder
    sibling only if its guardians use this portal.
    """
    asked = registers_asked(session, application)
    if not asked:
        return set()
    against = {
        fact
        for fact, answer, disputed_at in _told(session, application.id)
        if answer in ("differs", "unknown") or disputed_at is not None
    }
    return {fact for fact, register in REGISTER_OF.items() if register in asked and register != Register.ROLL} - against


def dispute(session: Session, application_id: uuid.UUID, fact: str, *, by: Actor, now: dt.datetime) -> bool:
    """Record that the family disputes a register's answer; a clerk then checks papers instead.  Returns whether it had not
    been disputed before."""
    require_oneself(by)
    applications.own(session, application_id, by=by)
    answer = session.get(RegisterAnswer, (application_id, fact))
    if answer is None:
        raise NotFound("register_answer")
    if answer.disputed_at is not None:
        return False
    answer.disputed_at = now
    audit.record(session, "dispute", "application", application_id, by=by, now=now, fact=fact)
    session.flush()
    note_states(session, [application_id])
    return True
