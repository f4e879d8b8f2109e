"""The calendar of an admission year.  Begin and end of each step are stored; which step is open is computed."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.season.calendar_validation import STEPS, CalendarConflicts, Conflict, Span, conflicts_of, working_days

__all__ = ["STEPS", "CalendarConflicts", "Conflict", "Season", "SeasonDate", "Span", "conflicts_of", "working_days"]


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


def open_season(
    session: Session,
    year: int,
    dates: Mapping[str, Span],
    *,
    by: Actor,
    now: dt.datetime,
    hotline: str | None = None,
    simulated: bool = False,
) -> Season:
    """Create an admission year with a span for each step.

    Refuses `only_the_city`, `season_exists`, and raises CalendarConflicts.
    """
    require_city_official(by)
    if conflicts := conflicts_of(dates):
        raise CalendarConflicts(conflicts)
    if session.get(Season, year) is not None:
        raise Refused("season_exists", field="year", year=year)
    season = Season(year=year, opened_at=now, hotline=hotline, simulated=simulated)
    season.dates = [SeasonDate(step=step, begins_at=dates[step][0], ends_at=dates[step][1]) for step in STEPS]
    session.add(season)
    session.flush()
    audit.record(session, "open_season", "season", year, by=by, now=now)
    return season


def require_city_official(by: Actor) -> None:
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")


def current_season(session: Session, now: dt.datetime) -> Season | None:
    """The current admission year: the latest one that was opened."""
    found = select(Season).where(Season.opened_at <= now).order_by(Season.year.desc()).limit(1)
    return session.scalars(found).first()


def season_end(session: Session, year: int) -> dt.datetime | None:
    """When the last step of an admission year ends; None for a year without a calendar."""
    return session.scalar(select(func.max(SeasonDate.ends_at)).where(SeasonDate.year == year))


def is_over(session: Session, year: int, now: dt.datetime) -> bool:
    end = season_end(session, year)
    return end is None or end <= now


def spans(season: Season) -> dict[str, Span]:
    return {date.step: (date.begins_at, date.ends_at) for date in season.dates}


def move_date(
    session: Session,
    year: int,
    step: str,
    *,
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
    was: Span | None = None,
) -> SeasonDate:
    """Change the dates of a step and notify every family with an active application.

    `was` are the dates that the person saw; raises Stale if they have changed since.  Refuses `only_the_city`,
    `reason_needed`, `nothing_changed`, `step_is_over`, and raises CalendarConflicts.
    """
    require_city_official(by)
    if not reason.strip():
        raise Refused("reason_needed", field="reason")
    season = session.get(Season, year, with_for_update=True)
    date = session.get(SeasonDate, (year, step), with_for_update=True)
    if season is None or date is None:
        raise NotFound((year, step))
    before: Span = (date.begins_at, date.ends_at)
    if was is not None and was != before:
        raise Stale()
    if before == (begins_at, ends_at):
        raise Refused("nothing_changed", field="ends_at")
    if ends_at <= now:
        raise Refused("step_is_over", field="ends_at", step=step)
    if conflicts := conflicts_of({**spans(season), step: (begins_at, ends_at)}):
        raise CalendarConflicts(conflicts)
    date.begins_at, date.ends_at = begins_at, ends_at
    session.flush()
    details = {"step": step, "before": _as_json(before), "after": _as_json((begins_at, ends_at))}
    audit.record(session, "move_date", "season", year, by=by, now=now, reason=reason, **details)
    enqueue_new_date_notices(session, year, step, begins_at, ends_at, now=now)
    return date


def enqueue_new_date_notices(
    session: Session, year: int, step: str, begins_at: dt.datetime, ends_at: dt.datetime, *, now: dt.datetime
) -> None:
    """Enqueue the notices about new dates; a job, because there may be a hundred thousand families."""
    args: dict[str, Any] = {"year": year, "step": step, **_as_json((begins_at, ends_at))}
    jobs.enqueue(session, "tell_new_date", args, key=f"tell_new_date:{year}:{step}:{now.isoformat()}", now=now)


def _as_json(span: Span) -> dict[str, str]:
    return {"begins_at": span[0].isoformat(), "ends_at": span[1].isoformat()}
