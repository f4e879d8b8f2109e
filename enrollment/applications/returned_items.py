"""The tables of items that a clerk returns to a family, and of refusal proposals, which need a second person."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import KeyedCode
from enrollment.ground.sealed.values import Sealed

REFUSAL_RULES = ("age", "duplicate", "falsehood")


class ReturnedItem(Base):
    """One item to correct (a document or a fact), and what the clerk asks for.

    `answer_by` is the last moment that the clerk chose for the whole return; None where the review's end holds.
    """

    __tablename__ = "returned_item"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    item: Mapped[str] = mapped_column(KeyedCode)
    note: Mapped[str] = mapped_column(Sealed("returned_item.note"))
    asked_at: Mapped[dt.datetime]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    answer_by: Mapped[dt.datetime | None]
    answered_at: Mapped[dt.datetime | None]

    __table_args__ = (CheckConstraint("answer_by > asked_at", name="answered_later_than_asked"),)


class RefusalProposal(Base):
    """A proposed refusal with its rule; a second, different person decides it.

    `clause` is the number of the rule in the notice, `fact` what the refusal rests on: a fact, a document, or `identity`.
    """

    __tablename__ = "refusal_proposal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"))
    rule: Mapped[str]
    clause: Mapped[str | None]
    fact: Mapped[str | None] = mapped_column(KeyedCode)
    explanation: Mapped[str] = mapped_column(Sealed("refusal_proposal.explanation"))
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]
    upheld: Mapped[bool | None]

    __table_args__ = (
        CheckConstraint("rule IN ('" + "','".join(REFUSAL_RULES) + "')", name="known_rule"),
        CheckConstraint("decided_by IS NULL OR decided_by <> proposed_by", name="second_person"),
        CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL) AND (decided_at IS NULL) = (upheld IS NULL)",
            name="decided_whole",
        ),
        Index(
            "ix_refusal_proposal__application_id", "application_id", postgresql_where=text("application_id IS NOT NULL")
        ),
        Index(
            "uq_refusal_proposal__one_open", "application_id", unique=True, postgresql_where=text("decided_at IS NULL")
        ),
    )


REFUSALS = Read(RefusalProposal, RefusalProposal.application_id)
"""The proposals to refuse an application, decided or not."""

RETURNED_ITEMS = Read(ReturnedItem, ReturnedItem.application_id)
"""The items of an application that were ever returned, answered or not."""
