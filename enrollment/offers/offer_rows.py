"""The tables of offers 录取, of their history, and of the proposals of central placement."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read


class OfferState(StrEnum):
    """The state of an offer.  The moves between states are in `offer_lifecycle`."""

    OFFERED = "offered"
    CONFIRMED = "confirmed"
    CONFIRMED_WAITING = "confirmed_waiting"
    ARRIVED = "arrived"
    DECLINED = "declined"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    NO_SHOW = "no_show"
    REVOKED = "revoked"


STATES = tuple(OfferState)
LIVE = (OfferState.OFFERED, OfferState.CONFIRMED, OfferState.CONFIRMED_WAITING, OfferState.ARRIVED)
"""The child holds the place."""

ANSWERABLE = (OfferState.OFFERED, OfferState.CONFIRMED, OfferState.CONFIRMED_WAITING)
"""The family may still answer, or change its answer."""

EXPECTED = (OfferState.CONFIRMED, OfferState.CONFIRMED_WAITING)
"""The family took the place, and the child has not arrived yet."""


class Offer(Base):
    """An offer.  `notice_code` is the code in the QR code of the admission notice.  `year` is the season of the programme
    (a foreign key makes sure of it), so that a unique index can allow one live offer for a child and season."""

    __tablename__ = "offer"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"))
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    programme_id: Mapped[uuid.UUID]
    year: Mapped[int]
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("run.id"))
    rank: Mapped[int | None]
    state: Mapped[str] = mapped_column(default=OfferState.OFFERED)
    notice_code: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    answer_by: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "year"], ["programme.id", "programme.year"]),
        CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),
        Index(
            "uq_offer__one_live",
            "child_id",
            "year",
            unique=True,
            postgresql_where=text("state IN ('offered','confirmed','confirmed_waiting','arrived')"),
        ),
        Index("ix_offer__child_id", "child_id", postgresql_where=text("child_id IS NOT NULL")),
        Index("ix_offer__programme", "programme_id", "state"),
        Index("ix_offer__due", "answer_by", postgresql_where=text("state = 'offered'")),
        Index("ix_offer__open", "round_id", "answer_by", postgresql_where=text("state = 'offered'")),
    )


OFFERS = Read(Offer, Offer.application_id)
"""The offers of an application, of every round."""


class ReplacedNotice(Base):
    """The old code of a notice that was replaced, because a correction changed the data on it."""

    __tablename__ = "replaced_notice"

    code: Mapped[str] = mapped_column(primary_key=True)
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), index=True)
    replaced_at: Mapped[dt.datetime]


class OfferMove(Base):
    """The history of an offer: one row for each move, in order of `number`.  In the first, `before` is None.

    A row without `move` was written by the previous software version during an upgrade.
    """

    __tablename__ = "offer_move"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), index=True)
    move: Mapped[str | None]
    before: Mapped[str | None]
    after: Mapped[str]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]
    reason: Mapped[str | None]


class CentralProposal(Base):
    """A child that a run left without a place, and the proposal of central placement made for it."""

    __tablename__ = "central_proposal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    metres: Mapped[int | None]
    proposed_at: Mapped[dt.datetime]
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))
    run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("run.id"), index=True)

    __table_args__ = (
        Index("ix_central_proposal__offer_id", "offer_id", postgresql_where=text("offer_id IS NOT NULL")),
    )


OFFER_MOVES = Read(OfferMove, OfferMove.offer_id)
"""The history of an offer."""

PROPOSALS = Read(CentralProposal, CentralProposal.offer_id)
"""The proposal of central placement that an offer came from."""
