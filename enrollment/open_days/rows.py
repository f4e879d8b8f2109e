"""The tables of open days, their slots and the visits that are booked."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.city_time import CHENGDU
from enrollment.ground.db import Base
from enrollment.ground.sealed.values import Sealed
from enrollment.people.person_rows import Child
from enrollment.places.kindergartens import Kindergarten


class OpenDay(Base):
    """A day on which a kindergarten shows itself.  A cancelled one stays, with its visits, and says why."""

    __tablename__ = "open_day"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kindergarten_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("kindergarten.id"))
    on_day: Mapped[dt.date]
    meeting_point: Mapped[str]
    note: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    cancelled_at: Mapped[dt.datetime | None]
    cancelled_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    cancel_reason: Mapped[str | None]

    kindergarten: Mapped[Kindergarten] = relationship(lazy="joined")
    slots: Mapped[list["OpenDaySlot"]] = relationship(
        back_populates="open_day", lazy="selectin", order_by="OpenDaySlot.begins, OpenDaySlot.id"
    )

    __table_args__ = (
        CheckConstraint(
            "(cancelled_at IS NULL) = (cancelled_by IS NULL) AND (cancelled_at IS NULL) = (cancel_reason IS NULL)",
            name="cancelled_whole",
        ),
        Index("ix_open_day__kindergarten_id", "kindergarten_id", "on_day"),
    )

    @property
    def places(self) -> int:
        return sum(slot.places for slot in self.slots)

    @property
    def taken(self) -> int:
        return sum(slot.taken for slot in self.slots)


class OpenDaySlot(Base):
    """A time of the day.  A trigger counts the visits in `taken`, which never exceeds `places`."""

    __tablename__ = "open_day_slot"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    open_day_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("open_day.id"), index=True)
    begins: Mapped[dt.time]
    ends: Mapped[dt.time]
    places: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0, server_default="0")

    open_day: Mapped[OpenDay] = relationship(back_populates="slots", lazy="joined")

    __table_args__ = (
        CheckConstraint("ends > begins", name="ends_later"),
        CheckConstraint("taken BETWEEN 0 AND places", name="never_more_than_places"),
        UniqueConstraint("id", "open_day_id", name="uq_open_day_slot__id_open_day_id"),
    )

    @property
    def free(self) -> int:
        return self.places - self.taken

    @property
    def begins_at(self) -> dt.datetime:
        return dt.datetime.combine(self.open_day.on_day, self.begins, CHENGDU)

    @property
    def ends_at(self) -> dt.datetime:
        return dt.datetime.combine(self.open_day.on_day, self.ends, CHENGDU)


class OpenDayVisit(Base):
    """A child's visit.  `needs` is what the family wrote for the kindergarten.

    A trigger cancels the visits to come of an application that is withdrawn or refused.
    """

    __tablename__ = "open_day_visit"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    slot_id: Mapped[uuid.UUID] = mapped_column(index=True)
    open_day_id: Mapped[uuid.UUID]
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    child_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("child.id"), index=True)
    adults: Mapped[int]
    needs: Mapped[str] = mapped_column(Sealed("open_day_visit.needs"))
    booked_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    booked_at: Mapped[dt.datetime]
    cancelled_at: Mapped[dt.datetime | None]

    slot: Mapped[OpenDaySlot] = relationship(lazy="joined")
    child: Mapped[Child] = relationship(lazy="joined")

    __table_args__ = (
        ForeignKeyConstraint(
            ["slot_id", "open_day_id"], ["open_day_slot.id", "open_day_slot.open_day_id"],
            name="fk_open_day_visit__slot_id_open_day_id",
        ),
        CheckConstraint("adults BETWEEN 1 AND 4", name="some_adults"),
        Index(
            "uq_open_day_visit__one_of_a_child", "open_day_id", "child_id", unique=True,
            postgresql_where=text("cancelled_at IS NULL"),
        ),
    )  # fmt: skip
