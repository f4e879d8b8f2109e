"""The tables of items that a clerk returns to a family, and of refusal proposals, which need a second person."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import KeyedCode
from enrollment.ground.sealed.values import Sealed

REFUSAL_RULES = ("age", "duplicate", "falsehood")


class ReturnPhrase(StrEnum):
    """A ready-made sentence that says what is asked for; each family reads it in its own language."""

    NOT_UPLOADED = "not_uploaded"
    BLURRED = "blurred"
    PAGE_MISSING = "page_missing"
    NAME_DIFFERS = "name_differs"
    ADDRESS_DIFFERS = "address_differs"
    EXPIRED = "expired"
    OTHER_PAPER = "other_paper"
    CHECK_NUMBER = "check_number"
    CHOOSE_STREET = "choose_street"
    TO_THE_ROOM = "to_the_room"
    SAY_RENTED = "say_rented"
    CHECK_ENTRY = "check_entry"
    BRING_PROOF = "bring_proof"


class ReturnedItem(Base):
    """One item to correct (a document or a fact), and what the clerk asks for: a ready-made sentence, a note, or both.

    `note` is empty where the sentence says all.  `answer_by` is the last moment that the clerk chose for the whole return; None where the review's end holds.
    """

    __tablename__ = "returned_item"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    item: Mapped[str] = mapped_column(KeyedCode)
    phrase: Mapped[str | None]
    note: Mapped[str] = mapped_column(Sealed("returned_item.note"))
    asked_at: Mapped[dt.datetime]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    answer_by: Mapped[dt.datetime | None]
    answered_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("answer_by > asked_at", name="answered_later_than_asked"),
        CheckConstraint("phrase IN ('" + "','".join(ReturnPhrase) + "')", name="known_phrase"),
        Index("ix_returned_item__answer_by", "answer_by", postgresql_where=text("answer_by IS NOT NULL")),
    )


class RefusalProposal(Base):
    """A proposed refusal with its rule; a second, different person decides it.

    It lapses at `decided_at`, decided by nobody, when the family changes or withdraws the application first.
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
            "(decided_by IS NULL) = (upheld IS NULL) AND (decided_by IS NULL OR decided_at IS NOT NULL)",
            name="decided_whole",
        ),
        Index(
            "ix_refusal_proposal__application_id", "application_id", postgresql_where=text("application_id IS NOT NULL")
        ),
        Index(
            "uq_refusal_proposal__one_open", "application_id", unique=True, postgresql_where=text("decided_at IS NULL")
        ),
    )

    @property
    def is_lapsed(self) -> bool:
        """Whether it ended undecided."""
        return self.decided_at is not None and self.decided_by is None


REFUSALS = Read(RefusalProposal, RefusalProposal.application_id)
"""The proposals to refuse an application, decided or not."""

RETURNED_ITEMS = Read(ReturnedItem, ReturnedItem.application_id)
"""The items of an application that were ever returned, answered or not."""
