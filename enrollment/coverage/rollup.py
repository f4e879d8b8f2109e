"""Counts of each area kept ready, so that a page costs the same for a small and a large city.

Triggers write the area of every change that touches a count into `coverage_change` (migration 0068).  An area without a
newer change is read from `coverage_rollup`, every other one is counted at once; `refresh` counts those again.  So a page
is always exact, and quick when the refresh of every minute has run.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, delete, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.coverage import counts
from enrollment.coverage.indicator import Children
from enrollment.coverage.snapshots import Counted, RollDates, Snapshot
from enrollment.coverage.steps import Step, StepKind, steps_of
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.places.areas import Area


class CoverageChange(Base):
    """An area whose children changed since its rollup.  Rows are only added by triggers and deleted by `refresh`, so nobody
    who changes a roll waits for somebody else."""

    __tablename__ = "coverage_change"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"))

    __table_args__ = (Index("ix_coverage_change__area", "area_code"),)


class CoverageRollup(Base):
    """The counts of an area on a `day`, with the intake of a `year`."""

    __tablename__ = "coverage_rollup"

    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[dt.date]
    counted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[dt.datetime]


def read(session: Session, on: dt.date, year: int) -> Snapshot:
    """The children of the city at a date, with the intake of a year."""
    kept = _kept(session, on, year)
    missing = [code for code in session.scalars(select(Area.code)) if code not in kept]
    parts = [_snapshot(on, year, counted) for counted in kept.values()]
    if missing:
        parts.append(counts.count(session, on, year, areas=missing if kept else None))
    return Snapshot(
        on,
        year,
        tuple(row for part in parts for row in part.now),
        tuple(row for part in parts for row in part.after),
        tuple(row for part in parts for row in part.coming),
        {area: dates for part in parts for area, dates in part.dates.items()},
    )


def steps(session: Session, on: dt.date, year: int, areas: Collection[str]) -> list[Step]:
    """Kindergartens of these areas that could bring more public places."""
    kept = _kept(session, on, year)
    found: list[Step] = []
    for area in areas:
        if area in kept:
            found += [
                Step(code, name, area, StepKind(kind), nature, gain)
                for code, name, kind, nature, gain in kept[area]["steps"]
            ]
        else:
            found += steps_of(session, on, area)
    return found


def refresh(session: Session, years: Iterable[int], *, now: dt.datetime) -> int:
    """Count the areas again that changed, or whose rollup is of another day; return how many.

    The changes are deleted before the count, so the count has seen each of them; what comes later has a row of its own.
    """
    on = today(now)
    changed = set(session.scalars(delete(CoverageChange).returning(CoverageChange.area_code)))
    done = 0
    for year in years:
        of_today = select(CoverageRollup.area_code).where(CoverageRollup.year == year, CoverageRollup.day == on)
        fresh = set(session.scalars(of_today)) - changed
        for area in session.scalars(select(Area.code)).all():
            if area not in fresh:
                _write(session, area, year, on, now)
                done += 1
    return done


def _write(session: Session, area: str, year: int, on: dt.date, now: dt.datetime) -> None:
    counted = _as_plain(counts.count(session, on, year, areas=[area]), steps_of(session, on, area))
    row = {"area_code": area, "year": year, "day": on, "counted": counted, "made_at": now}
    fresh = insert(CoverageRollup).values(row)
    session.execute(fresh.on_conflict_do_update(index_elements=["area_code", "year"], set_=row))


def _kept(session: Session, on: dt.date, year: int) -> dict[str, dict[str, Any]]:
    """The counts by area that nothing has changed since."""
    unchanged = CoverageRollup.area_code.not_in(select(CoverageChange.area_code))
    found = select(CoverageRollup.area_code, CoverageRollup.counted)
    rows = session.execute(found.where(CoverageRollup.year == year, CoverageRollup.day == on, unchanged))
    return {area: counted for area, counted in rows}


def _as_plain(snapshot: Snapshot, found: Sequence[Step]) -> dict[str, Any]:
    return {
        "now": [_row(each) for each in snapshot.now],
        "after": [_row(each) for each in snapshot.after],
        "coming": [_row(each) for each in snapshot.coming],
        "dates": {area: [d.oldest.isoformat(), d.newest.isoformat()] for area, d in snapshot.dates.items()},
        "steps": [[step.code, step.name, step.kind, step.nature, step.gain] for step in found],
    }


def _row(each: Counted) -> list[Any]:
    some = each.children
    return [
        each.place,
        each.area,
        each.parent_area,
        [some.number, some.nature, some.level, some.attached, some.education],
        each.school_year,
    ]


def _snapshot(on: dt.date, year: int, plain: dict[str, Any]) -> Snapshot:
    def rows(part: str) -> tuple[Counted, ...]:
        return tuple(
            Counted(place, area, parent, Children(*some), school_year)
            for place, area, parent, some, school_year in plain[part]
        )

    dates = {area: RollDates(*map(dt.date.fromisoformat, pair)) for area, pair in plain["dates"].items()}
    return Snapshot(on, year, rows("now"), rows("after"), rows("coming"), dates)
