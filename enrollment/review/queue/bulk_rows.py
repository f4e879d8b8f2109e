"""The tables of a bulk confirmation: a fixed selection of applications, the sample that is looked at, and what became of each."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base


class BulkOutcome(StrEnum):
    """What became of an application of a selection; all but the first say why it was not confirmed."""

    CONFIRMED = "confirmed"
    FAULT = "fault"
    CHANGED = "changed"
    TAKEN = "taken"
    DISAGREES = "disagrees"
    ELSEWHERE = "elsewhere"


class BulkSelection(Base):
    """Applications that one person confirms in one act.  It never changes after it was drawn."""

    __tablename__ = "bulk_selection"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    drawn_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]


class BulkItem(Base):
    """One application of a selection, in the `version` that was listed.  `sampled`: it must be opened before the act.

    An application with a fault is in no later selection; the queue asks for these by an index of their own.
    """

    __tablename__ = "bulk_item"

    selection_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("bulk_selection.id"), primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True, index=True)
    version: Mapped[int]
    sampled: Mapped[bool]
    opened_at: Mapped[dt.datetime | None]
    outcome: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("outcome IN ('" + "','".join(BulkOutcome) + "')", name="known_outcome"),
        Index("ix_bulk_item__fault", "application_id", postgresql_where=text("outcome = 'fault'")),
    )
