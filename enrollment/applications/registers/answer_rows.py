"""The table of the registers' answers."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, and_, func, select
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.applications.application_rows import Application, ApplicationVersion
from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.values import SealedJson
from enrollment.people.consents import Register

REGISTERS = tuple(register.value for register in Register)
ANSWERS = ("matches", "differs", "unknown", "unavailable")


class RegisterAnswer(Base):
    """`answer` is `matches`, `differs`, `unknown` or `unavailable`; `value` is the value of the fact in the register."""

    __tablename__ = "register_answer"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    fact: Mapped[str] = mapped_column(primary_key=True)
    register: Mapped[str]
    answer: Mapped[str]
    value: Mapped[Any | None] = mapped_column(SealedJson("register_answer.value"))
    at: Mapped[dt.datetime]
    disputed_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("answer IN ('matches','differs','unknown','unavailable')", name="known_answer"),
        CheckConstraint("register IN ('" + "','".join(REGISTERS) + "')", name="known_register"),
    )


REGISTER_ANSWERS = Read(RegisterAnswer, RegisterAnswer.application_id)
"""What registers ever said about an application."""


def handed_in_at() -> ColumnElement[dt.datetime]:
    """SQL expression: when the current answers were handed in; earlier register answers are about other data."""
    newest = select(func.max(ApplicationVersion.submitted_at)).where(
        ApplicationVersion.application_id == Application.id
    )
    return func.coalesce(newest.correlate(Application).scalar_subquery(), Application.submitted_at)


def is_current() -> ColumnElement[bool]:
    """SQL condition: the answer is about the last submission of the enclosing query's application."""
    return and_(RegisterAnswer.application_id == Application.id, RegisterAnswer.at >= handed_in_at())
