"""Days off and working weekends of an admission year: data that city officials correct, filled from `holidays.toml`."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused

FILE = Path(__file__).with_name("holidays.toml")
SATURDAY = 5


class DayKind(StrEnum):
    """`rest`: a day off on a weekday or weekend; `work`: a weekend day on which offices work; `usual`: neither."""

    REST = "rest"
    WORK = "work"
    USUAL = "usual"


class SeasonDay(Base):
    """A day of the year that is off, or a weekend day that is worked."""

    __tablename__ = "season_day"

    year: Mapped[int] = mapped_column(ForeignKey("season.year"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]

    __table_args__ = (CheckConstraint("kind IN ('rest','work')", name="known_kind"),)


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days offices work.  `rest` maps a day off to the name of its holiday; `work` are worked weekend days."""

    rest: Mapping[dt.date, str] = field(default_factory=dict)
    work: frozenset[dt.date] = frozenset()

    def is_rest(self, day: dt.date) -> bool:
        return day in self.rest or (day.weekday() >= SATURDAY and day not in self.work)

    def name_of(self, day: dt.date) -> str | None:
        """The holiday's name; None for an ordinary weekend."""
        return self.rest.get(day)

    def next_working_day(self, day: dt.date) -> dt.date:
        while self.is_rest(day):
            day += dt.timedelta(days=1)
        return day

    def working_day_after(self, day: dt.date, number: int) -> dt.date:
        """The last of so many working days after a day."""
        while number > 0:
            day += dt.timedelta(days=1)
            number -= not self.is_rest(day)
        return day

    def working_days(self, begins_at: dt.datetime, ends_at: dt.datetime) -> int:
        """The working days that the span touches."""
        first, last = begins_at.astimezone(CHENGDU).date(), last_day(ends_at)
        days = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
        return sum(not self.is_rest(day) for day in days)


def last_day(ends_at: dt.datetime) -> dt.date:
    """The last day of a span with this end: one that ends at midnight ends on the day before."""
    return (ends_at.astimezone(CHENGDU) - dt.timedelta(microseconds=1)).date()


@cache
def _file() -> dict:
    return tomllib.loads(FILE.read_text("utf-8"))


def is_provisional(year: int) -> bool:
    """Whether the file has no published arrangement for this year."""
    return _file().get(str(year), {}).get("provisional", True)


def of_file(year: int) -> WorkingCalendar:
    """The calendar of the file; for a year that it does not know, weekends alone."""
    known = _file().get(str(year), {})
    rest: dict[dt.date, str] = {}
    for name, written in known.get("rest", {}).items():
        first, last = map(dt.date.fromisoformat, written)
        rest |= {first + dt.timedelta(days=n): name for n in range((last - first).days + 1)}
    return WorkingCalendar(rest, frozenset(map(dt.date.fromisoformat, known.get("work", []))))


def fill(session: Session, year: int) -> None:
    """Fill the table of a new year from the file."""
    known = of_file(year)
    session.add_all(SeasonDay(year=year, day=day, kind=DayKind.REST, name=name) for day, name in known.rest.items())
    session.add_all(SeasonDay(year=year, day=day, kind=DayKind.WORK, name="") for day in known.work)
    session.flush()


def days_of(session: Session, year: int) -> list[SeasonDay]:
    return list(session.scalars(select(SeasonDay).where(SeasonDay.year == year).order_by(SeasonDay.day)))


def of_year(session: Session, year: int) -> WorkingCalendar:
    """The calendar as the officials keep it; a year without any day has that of the file."""
    found = days_of(session, year)
    if not found:
        return of_file(year)
    return WorkingCalendar(
        {each.day: each.name for each in found if each.kind == DayKind.REST},
        frozenset(each.day for each in found if each.kind == DayKind.WORK),
    )


def correct(
    session: Session, year: int, day: dt.date | None, kind: str, name: str, *, by: Actor, now: dt.datetime
) -> None:
    """Say of one day whether offices work; `usual` takes the entry away.

    Refuses `only_the_city`, `day_needed`, `day_of_another_year`.
    """
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")
    if day is None:
        raise Refused("day_needed", field="day")
    if day.year != year:
        raise Refused("day_of_another_year", field="day", year=year)
    if not days_of(session, year):
        fill(session, year)
    found = session.get(SeasonDay, (year, day))
    if found is not None:
        session.delete(found)
        session.flush()
    if kind != DayKind.USUAL:
        session.add(SeasonDay(year=year, day=day, kind=DayKind(kind), name=name.strip()))
    session.flush()
    audit.record(session, "correct_day", "season", year, by=by, now=now, day=day.isoformat(), kind=kind)
