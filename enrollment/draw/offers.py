"""Offers 录取: at most one live offer for a child, over all rounds, and never more than the places there are."""

import datetime as dt
import uuid

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base

STATES = (
    "offered",
    "confirmed",
    "confirmed_waiting",
    "arrived",
    "declined",
    "expired",
    "superseded",
    "no_show",
    "revoked",
)
LIVE = ("offered", "confirmed", "confirmed_waiting", "arrived")


class Offer(Base):
    """`notice_code` is what the QR code on the admission notice points at.  A superseded offer names its successor."""

    __tablename__ = "offer"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"))
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"))
    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"))
    run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("run.id"))
    rank: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="offered")
    notice_code: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[dt.datetime]
    answer_by: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("state IN ('" + "','".join(STATES) + "')", name="known_state"),
        Index(
            "uq_offer__one_live",
            "child_id",
            unique=True,
            postgresql_where=text("state IN ('offered','confirmed','confirmed_waiting','arrived')"),
        ),
        Index("ix_offer__programme", "programme_id", "state"),
        Index("ix_offer__due", "answer_by", postgresql_where=text("state = 'offered'")),
    )


class OfferMove(Base):
    """The history of an offer."""

    __tablename__ = "offer_move"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), index=True)
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
