"""The tables of arrival 报到: each tap of a tablet, the checks that follow from the taps, entries on the roll."""

import datetime as dt
import uuid
from enum import StrEnum

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed


class Check(StrEnum):
    """What a kindergarten looks at when a child arrives.  None of them refuses a child: what is missing follows later."""

    HEALTH = "health"
    VACCINATION = "vaccination"
    PICKUP = "pickup"


class TapAct(StrEnum):
    """What a tap says: a check, an arrival, its undoing, another class, or a child that nobody finds in the list."""

    HEALTH = "health"
    VACCINATION = "vaccination"
    PICKUP = "pickup"
    ARRIVED = "arrived"
    NOT_ARRIVED = "not_arrived"
    CLASS = "class"
    NOTED = "noted"


PRESENCE = (TapAct.ARRIVED, TapAct.NOT_ARRIVED, TapAct.CLASS)
"""The acts of which the newest says whether a child has arrived, and into which class."""


def topic(act: str) -> str:
    """What a tap is about: one check, or the presence of the child.  Of two taps of one topic the newer holds."""
    return "presence" if act in PRESENCE else act


class ArrivalCheck(Base):
    """The dates of the checks at arrival, as the newest taps say; None if a check is not done."""

    __tablename__ = "arrival_check"

    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), primary_key=True)
    health_on: Mapped[dt.date | None]
    vaccination_on: Mapped[dt.date | None]
    pickup_on: Mapped[dt.date | None]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]


class ArrivalTap(Base):
    """One tap, kept as it was made.  `id` is chosen by the tablet, so that a tap that is sent again counts once.

    `tapped_at` is when the finger was on the screen, `received_at` when the tap came.  A tap that cannot take effect is
    kept with the code of its `refusal` until somebody settles it (`to match`); it is never sent back to the tablet.
    `matched`: a person let it take effect after all.
    """

    __tablename__ = "arrival_tap"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    year: Mapped[int]
    offer_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("offer.id"))
    act: Mapped[str]
    done: Mapped[bool] = mapped_column(default=True)
    class_name: Mapped[str | None]
    noted: Mapped[str | None] = mapped_column(Sealed("arrival_tap.noted"))
    tapped_at: Mapped[dt.datetime]
    received_at: Mapped[dt.datetime]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    refusal: Mapped[str | None]
    matched: Mapped[bool] = mapped_column(default=False)
    settled_at: Mapped[dt.datetime | None]
    settled_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))

    __table_args__ = (
        CheckConstraint("act IN ('" + "','".join(TapAct) + "')", name="known_act"),
        CheckConstraint("offer_id IS NOT NULL OR refusal IS NOT NULL", name="of_an_offer_or_to_match"),
        CheckConstraint("NOT matched OR offer_id IS NOT NULL", name="matched_with_an_offer"),
        CheckConstraint("settled_at IS NULL OR refusal IS NOT NULL", name="only_what_was_kept_is_settled"),
        Index("ix_arrival_tap__offer", "offer_id", "act", "tapped_at"),
        Index("ix_arrival_tap__received", "kindergarten_id", "received_at"),
        Index(
            "ix_arrival_tap__to_match",
            "kindergarten_id",
            "year",
            postgresql_where=text("refusal IS NOT NULL AND settled_at IS NULL"),
        ),
    )


class ArrivalEntry(Base):
    """The entry on the roll that an arrival made, and the earlier entries that it ended, so that it can be undone."""

    __tablename__ = "arrival_entry"

    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), primary_key=True)
    roll_child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("roll_child.id"), index=True)
    ended: Mapped[list[uuid.UUID]] = mapped_column(ARRAY(Uuid), default=list)
    at: Mapped[dt.datetime]


class ContactOutcome(StrEnum):
    """What the family of a child that is expected said, when the kindergarten asked."""

    NO_ANSWER = "no_answer"
    WILL_COME = "will_come"
    NOT_COMING = "not_coming"


CONTACT_WAYS = ("call", "message", "visit")


class ArrivalContact(Base):
    """One try of a kindergarten to reach the family of a child that is expected."""

    __tablename__ = "arrival_contact"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), index=True)
    way: Mapped[str]
    outcome: Mapped[str]
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]

    __table_args__ = (
        CheckConstraint("way IN ('" + "','".join(CONTACT_WAYS) + "')", name="known_way"),
        CheckConstraint("outcome IN ('" + "','".join(ContactOutcome) + "')", name="known_outcome"),
    )
