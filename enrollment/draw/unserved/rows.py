"""What officials and families note about a child without a place."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.codes import listed
from enrollment.ground.sealed.values import Sealed

LONGEST_TEXT = 500


class Explanation(StrEnum):
    """Why a child ends the season without a place."""

    ELSEWHERE = "elsewhere"
    MOVED_AWAY = "moved_away"
    NEXT_YEAR = "next_year"
    WAITS = "waits"
    UNREACHABLE = "unreachable"
    NONE_NEAR = "none_near"
    OTHER = "other"


NEEDS_TEXT = (Explanation.UNREACHABLE, Explanation.NONE_NEAR, Explanation.OTHER)
"""The code alone does not say what was tried."""


class DeclineReason(StrEnum):
    """Why a family does not take the place that was proposed to it."""

    TOO_FAR = "too_far"
    FEE = "fee"
    KINDERGARTEN = "kindergarten"
    WAITS = "waits"
    ELSEWHERE = "elsewhere"
    OTHER = "other"


class AcceptedNature(StrEnum):
    """Which kindergartens a family would take."""

    ANY = "any"
    PUBLIC = "public"


class UnservedChild(Base):
    """What an official has settled about a child: who looks after it, and why it ends without a place.

    There is a row from the first act on.  Without `officer_id` the officer follows from the area (`officers`).
    An explanation counts from `explained_at` until the child is offered a place again.
    """

    __tablename__ = "unserved_child"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    officer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    explanation: Mapped[str | None]
    explanation_text: Mapped[str | None] = mapped_column(Sealed("unserved_child.explanation_text"))
    explained_at: Mapped[dt.datetime | None]
    explained_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (
        CheckConstraint(f"explanation IN {listed(Explanation)}", name="known_explanation"),
        CheckConstraint(
            "(explanation IS NULL) = (explained_at IS NULL) AND (explanation IS NULL) = (explained_by IS NULL)",
            name="explained_by_somebody",
        ),
    )


class AcceptedPlaces(Base):
    """Which places the family would accept, as it said itself or as an official noted a telephone call.

    `minutes` is the longest walk, None for any.  Whether it wants proposals at all is `application.agrees_to_central`.
    """

    __tablename__ = "accepted_places"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    minutes: Mapped[int | None]
    nature: Mapped[str]
    note: Mapped[str | None] = mapped_column(Sealed("accepted_places.note"))
    said_at: Mapped[dt.datetime]
    said_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (CheckConstraint(f"nature IN {listed(AcceptedNature)}", name="known_nature"),)


class ChosenPlace(Base):
    """A place that an official chose for a child; the next central placement proposes it, under two signatures.

    `apart` says why a bound child is placed without the others.
    """

    __tablename__ = "chosen_place"

    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), index=True)
    metres: Mapped[int | None]
    apart: Mapped[str | None] = mapped_column(Sealed("chosen_place.apart"))
    chosen_at: Mapped[dt.datetime]
    chosen_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))


class DeclinedProposal(Base):
    """Why a family declined the place of an offer."""

    __tablename__ = "declined_proposal"

    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), primary_key=True)
    reason: Mapped[str]
    note: Mapped[str | None] = mapped_column(Sealed("declined_proposal.note"))
    said_at: Mapped[dt.datetime]
    said_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (CheckConstraint(f"reason IN {listed(DeclineReason)}", name="known_reason"),)


UNSERVED = Read(UnservedChild, UnservedChild.application_id)

ACCEPTED = Read(AcceptedPlaces, AcceptedPlaces.application_id)
"""What a family without a place would accept."""
