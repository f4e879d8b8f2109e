"""Reports of the whole city that are too long to count while somebody waits: their sums, area by area, kept each night.

The statistics return and the promotion read every child of the roll.  A job counts one area after the other, each as the
report of the area counts itself, with its checks; the report of the city adds up what is kept, so that it costs the same
for any city, equals its areas, and says when each of them was counted.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ARRAY, ForeignKey, String, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import jobs
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.db import Base
from enrollment.places.areas import all_areas
from enrollment.reports.tables import on_roll, statistics
from enrollment.reports.tables.quality import areas_of
from enrollment.reports.tables.report import Column, Kind, Question, Report, Row, Table, note_reading, unequal_of

KIND = "count_area_sums"
KEPT = {report.code: report for report in (statistics.STATISTICS, on_roll.PROMOTION)}


class ReportAreaSum(Base):
    """The sums of a report of an area, by the code of the column, and the columns whose checks failed."""

    __tablename__ = "report_area_sum"

    report: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"), primary_key=True)
    sums: Mapped[dict[str, int]] = mapped_column(JSONB)
    unequal: Mapped[list[str]] = mapped_column(ARRAY(String))
    counted_at: Mapped[dt.datetime]


def summed_columns(report: Report) -> list[int]:
    """The places of the columns that a line of sums has."""
    return [place for place, column in enumerate(report.columns) if column.total or column.share_of]


def count(session: Session, code: str, year: int, area: str, *, now: dt.datetime) -> None:
    """Count the report of one area and keep its sums."""
    report, question = KEPT[code], Question(session, year, SYSTEM, now, area=area)
    table = Table(report, [tuple(row) for row in report.rows(question)], now)
    row = {
        "report": code, "year": year, "area_code": area,
        "sums": {column.code: table.total(column.code) for column in report.columns if column.total},
        "unequal": list(unequal_of(table, question)), "counted_at": now,
    }  # fmt: skip
    fresh = insert(ReportAreaSum).values(row)
    session.execute(fresh.on_conflict_do_update(index_elements=["report", "year", "area_code"], set_=row))


def ask(session: Session, code: str, year: int, *, by: Actor, now: dt.datetime) -> None:
    """Let a worker count the report of all areas now; a second request within a minute changes nothing."""
    jobs.enqueue(session, KIND, {"report": code, "year": year}, key=f"{KIND}:{code}:{year}:{now:%Y%m%d%H%M}", now=now)


def is_counting(session: Session, code: str, year: int) -> bool:
    """Whether a worker counts it, or will soon."""
    asked = jobs.Job.args["report"].as_string() == code, jobs.Job.args["year"].as_integer() == year
    waiting = jobs.Job.state.in_((jobs.JobState.WAITING, jobs.JobState.QUEUED, jobs.JobState.RUNNING))
    return session.scalar(select(jobs.Job.id).where(jobs.Job.kind == KIND, waiting, *asked).limit(1)) is not None


def read(report: Report, question: Question, *, how: str) -> Table:
    """The report of all areas that the actor may see, from what is kept; `missing` are those that were never counted."""
    mine = areas_of(question)
    found = select(ReportAreaSum).where(
        ReportAreaSum.report == report.code, ReportAreaSum.year == question.year, ReportAreaSum.area_code.in_(mine)
    )
    places = summed_columns(report)
    columns: Sequence[Column] = [report.columns[place] for place in places]
    added = {column.code for column in columns if column.total}
    # a sum that was kept before the report got another column is none of this report
    kept = {each.area_code: each for each in question.session.scalars(found) if added <= each.sums.keys()}
    of_areas = replace(report, columns=(Column("area", Kind.AREA), *columns, Column("counted_at", Kind.MOMENT)))
    rows: list[Row] = [
        of_areas.with_shares((code, *_cells(columns, kept[code].sums), kept[code].counted_at))
        for code in mine
        if code in kept
    ]
    note_reading(report, question, rows=len(rows), how=how)
    unequal = dict.fromkeys(code for each in kept.values() for code in each.unequal)
    oldest = min((each.counted_at for each in kept.values()), default=question.now)
    return Table(of_areas, rows, oldest, tuple(unequal), tuple(code for code in mine if code not in kept))


def _cells(columns: Sequence[Column], sums: dict[str, int]) -> list[Any]:
    return [sums[column.code] if column.total else None for column in columns]


def all_area_codes(session: Session) -> list[str]:
    return [area.code for area in all_areas(session)]
