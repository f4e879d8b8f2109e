"""The household of an application: hukou, home, workplace and residence permit, as the family states them."""

import datetime as dt
import uuid
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.ground.reading.read_ahead import Read
from enrollment.ground.sealed.values import Sealed, SealedDecimal

HUKOU_KINDS = ("local", "collective", "elsewhere")
PLACES = 6
"""How many digits of a degree after the point are kept."""


class Household(Base):
    """One row for each application, so that an edit for another child does not change reviewed data.

    `home_outside` is true if the family still lives outside the city (then `home_area` is None), else None.
    """

    __tablename__ = "household"

    application_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    hukou_kind: Mapped[str | None]
    hukou_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    hukou_street: Mapped[str | None]
    hukou_since: Mapped[dt.date | None]
    home_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    home_outside: Mapped[bool | None]
    home_street: Mapped[str | None]
    home_community: Mapped[str | None]
    home_estate: Mapped[str | None]
    home_address: Mapped[str | None] = mapped_column(Sealed("household.home_address"))
    home_longitude: Mapped[Decimal | None] = mapped_column(SealedDecimal("household.home_longitude", PLACES))
    home_latitude: Mapped[Decimal | None] = mapped_column(SealedDecimal("household.home_latitude", PLACES))
    home_owned: Mapped[bool | None]
    work_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    residence_permit_area: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (CheckConstraint("hukou_kind IN ('" + "','".join(HUKOU_KINDS) + "')", name="known_hukou_kind"),)


class HomeLikeness(Base):
    """The blind index of a home down to its room: it finds several families at one dwelling.  No row without a room."""

    __tablename__ = "home_likeness"

    application_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("application.id", ondelete="CASCADE"), primary_key=True
    )
    dwelling_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)


HOUSEHOLDS = Read(Household, Household.application_id)
"""The household of an application."""

ANSWERS = frozenset(Household.__table__.columns.keys()) - {"application_id", "version"}


def household_of(session: Session, application_id: uuid.UUID) -> Household | None:
    """The household of the application; None before the family first saved it."""
    return HOUSEHOLDS.one(session, application_id)


def lives_outside(session: Session, application_id: uuid.UUID) -> bool:
    """Whether the family lives outside the city, so that no distance and no central placement can be computed."""
    household = household_of(session, application_id)
    return household is not None and bool(household.home_outside)
