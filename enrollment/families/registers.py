"""What the registers of other departments answered about an application, with source and date."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base

REGISTERS = ("household_register", "property", "residence_permit", "social_insurance", "vaccination", "roll")


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
