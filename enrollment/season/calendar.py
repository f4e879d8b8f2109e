"""The year's calendar: which step begins and ends when.  Dates are rows; what is open now is computed."""

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from enrollment.ground.db import Base

STEPS = ("announcement", "registration", "review", "draw", "result", "confirmation", "supplementary", "arrival")


class Season(Base):
    """An admission year 招生年度.  `year` 2026 is the intake of September 2026."""

    __tablename__ = "season"

    year: Mapped[int] = mapped_column(primary_key=True)
    opened_at: Mapped[dt.datetime]
    hotline: Mapped[str | None]
    simulated: Mapped[bool] = mapped_column(default=False)

    dates: Mapped[list["SeasonDate"]] = relationship(
        back_populates="season", order_by="SeasonDate.begins_at", lazy="selectin"
    )


class SeasonDate(Base):
    """One step of the calendar as families see it, from `begins_at` up to but not including `ends_at`."""

    __tablename__ = "season_date"

    year: Mapped[int] = mapped_column(ForeignKey("season.year"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    begins_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]

    season: Mapped[Season] = relationship(back_populates="dates")

    __table_args__ = (
        CheckConstraint("step IN ('" + "','".join(STEPS) + "')", name="known_step"),
        CheckConstraint("begins_at < ends_at", name="begins_before_it_ends"),
    )
