"""The tables of items that a clerk returns to a family, and of refusal proposals, which need a second person."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base

REFUSAL_RULES = ("age", "duplicate", "falsehood")


class ReturnedItem(Base):
    """One item to correct (a document or a fact), and what the clerk asks for."""

    __tablename__ = "returned_item"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    item: Mapped[str]
    note: Mapped[str]
    asked_at: Mapped[dt.datetime]
    asked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    answered_at: Mapped[dt.datetime | None]


class RefusalProposal(Base):
    """A proposed refusal with its rule; a second, different person decides it."""

    __tablename__ = "refusal_proposal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"))
    rule: Mapped[str]
    explanation: Mapped[str]
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
