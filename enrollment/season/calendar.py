"""The calendar of an admission year.  Begin and end of each step are stored; which step is open is computed.

The stage of the year is in `season_lifecycle`; which years a reader may see is in `seasons`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, case, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from enrollment.ground import audit, jobs
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.season import holidays
from enrollment.season.calendar_validation import (
    STEPS,
    CalendarConflicts,
    CalendarWarnings,
    Conflict,
    Span,
    conflicts_of,
    warnings_of,
    working_days,
)

__all__ = ["STEPS", "CalendarConflicts", "Conflict", "Season", "SeasonDate", "Span", "conflicts_of", "working_days"]


class SeasonStage(StrEnum):
    """Decisions about a year, each with its time.  That an announced year is running is computed: `seasons.is_running`."""

    PREPARATION = "preparation"
    ANNOUNCED = "announced"
    CLOSED = "closed"


class Season(Base):
    """An admission year 招生年度.  `year` 2026 is the intake of September 2026.

    A year in preparation is seen by officials only.  `opened_at` is when it was created.
    """

    __tablename__ = "season"

    year: Mapped[int] = mapped_column(primary_key=True)
    opened_at: Mapped[dt.datetime]
    announced_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    hotline: Mapped[str | None]
    simulated: Mapped[bool] = mapped_column(default=False)

    dates: Mapped[list["SeasonDate"]] = relationship(
        back_populates="season", order_by=lambda: (SeasonDate.begins_at, IN_ORDER_OF_STEPS), lazy="selectin"
    )

    __table_args__ = (
        CheckConstraint("closed_at IS NULL OR announced_at <= closed_at", name="closed_after_it_was_announced"),
    )

    @property
    def stage(self) -> SeasonStage:
        if self.closed_at is not None:
            return SeasonStage.CLOSED
        return SeasonStage.PREPARATION if self.announced_at is None else SeasonStage.ANNOUNCED


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


IN_ORDER_OF_STEPS: ColumnElement[int] = case({step: number for number, step in enumerate(STEPS)}, value=SeasonDate.step)
"""Of steps that begin at the same time, the one that comes first."""


def create_season(
    session: Session,
    year: int,
    dates: Mapping[str, Span],
    *,
    by: Actor,
    now: dt.datetime,
    hotline: str | None = None,
    simulated: bool = False,
    accept_warnings: bool = False,
) -> Season:
    """Create an admission year in preparation, with a span for each step.  Nobody but officials sees it.

    Refuses `only_the_city`, `season_exists`, and raises CalendarConflicts, or CalendarWarnings unless they are accepted.
    """
    require_city_official(by)
    days = holidays.of_file(year)
    if conflicts := conflicts_of(dates, days):
        raise CalendarConflicts(conflicts)
    warnings = warnings_of(dates, days)
    if warnings and not accept_warnings:
        raise CalendarWarnings(warnings)
    if session.get(Season, year) is not None:
        raise Refused("season_exists", field="year", year=year)
    season = Season(year=year, opened_at=now, hotline=hotline, simulated=simulated)
    season.dates = [SeasonDate(step=step, begins_at=dates[step][0], ends_at=dates[step][1]) for step in STEPS]
    session.add(season)
    session.flush()
    holidays.fill(session, year)
    audit.record(session, "create_season", "season", year, by=by, now=now, warnings=_codes(warnings))
    return season


def require_city_official(by: Actor) -> None:
    if not by.is_any(Role.CITY_OFFICIAL):
        raise Refused("only_the_city")


def require_not_closed(season: Season) -> None:
    if season.stage == SeasonStage.CLOSED:
        raise Refused("season_is_closed", year=season.year)


def refuse_closed(session: Session, year: int) -> None:
    """Refuses `season_is_closed` as the row is now.  The caller holds a lock that keeps the year from being closed meanwhile."""
    if session.scalar(select(Season.closed_at).where(Season.year == year)) is not None:
        raise Refused("season_is_closed", year=year)


def keep_open(session: Session, year: int) -> None:
    """Keep the year from being closed until the end of the transaction.  Refuses `season_is_closed`.

    Called before the locks of applications, as whoever closes a year locks its row first.
    """
    session.execute(select(Season.year).where(Season.year == year).with_for_update(read=True))
    refuse_closed(session, year)


EARLIER_RESULT = dt.timedelta(hours=1)
"""How long ahead an hour of a result is announced that comes before the one that was announced until then."""


def refuse_sudden_result(before: dt.datetime | None, hour: dt.datetime, *, now: dt.datetime, field: str) -> None:
    """An official alone brings no result forward to this minute: everybody was told of another hour.  Refuses `hour_too_soon`."""
    if before is not None and now < before and hour < min(before, now + EARLIER_RESULT):
        raise Refused("hour_too_soon", field=field)


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
    accept_warnings: bool = False,
) -> SeasonDate:
    """Change the dates of a step; of an announced year with a reason, and every family with an active application is told.

    `was` are the dates that the person saw; raises Stale if they have changed since.  Refuses `only_the_city`,
    `reason_needed`, `nothing_changed`, `step_is_over`, `season_is_closed`, `hour_too_soon`, and raises CalendarConflicts, or CalendarWarnings
    about this step unless they are accepted.
    """
    require_city_official(by)
    season = session.get(Season, year, with_for_update=True, populate_existing=True)
    date = session.get(SeasonDate, (year, step), with_for_update=True)
    if season is None or date is None:
        raise NotFound((year, step))
    require_not_closed(season)
    announced = season.stage == SeasonStage.ANNOUNCED
    if announced and not reason.strip():
        raise Refused("reason_needed", field="reason")
    before: Span = (date.begins_at, date.ends_at)
    if was is not None and was != before:
        raise Stale()
    if before == (begins_at, ends_at):
        raise Refused("nothing_changed", field="ends_at")
    if ends_at <= now:
        raise Refused("step_is_over", field="ends_at", step=step)
    if announced and step == "result":
        refuse_sudden_result(before[0], begins_at, now=now, field="begins_at")
    dates, days = {**spans(season), step: (begins_at, ends_at)}, holidays.of_year(session, year)
    if conflicts := conflicts_of(dates, days):
        raise CalendarConflicts(conflicts)
    warnings = [warning for warning in warnings_of(dates, days) if warning.step == step]
    if warnings and not accept_warnings:
        raise CalendarWarnings(warnings)
    date.begins_at, date.ends_at = begins_at, ends_at
    session.flush()
    details: dict[str, Any] = {"step": step, "before": _as_json(before), "after": _as_json((begins_at, ends_at))}
    details["warnings"] = _codes(warnings)
    audit.record(session, "move_date", "season", year, by=by, now=now, reason=reason, **details)
    if announced:
        enqueue_new_date_notices(session, year, step, begins_at, ends_at, now=now)
    return date


def enqueue_new_date_notices(
    session: Session, year: int, step: str, begins_at: dt.datetime, ends_at: dt.datetime, *, now: dt.datetime
) -> None:
    """Enqueue the notices about new dates; a job, because there may be a hundred thousand families."""
    args: dict[str, Any] = {"year": year, "step": step, **_as_json((begins_at, ends_at))}
    jobs.enqueue(session, "tell_new_date", args, key=f"tell_new_date:{year}:{step}:{now.isoformat()}", now=now)


def _codes(warnings: Iterable[Conflict]) -> list[str]:
    return [f"{warning.step}: {warning.code}" for warning in warnings]


def _as_json(span: Span) -> dict[str, str]:
    return {"begins_at": span[0].isoformat(), "ends_at": span[1].isoformat()}
