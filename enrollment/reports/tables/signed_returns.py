"""Statistics returns 统计年报 that an area has handed in: counted for 1 September, signed by two people, and never changed after that.

The report is counted anew whenever it is read, and the roll of an earlier day may still be mended.  What was handed in stays
as it was, with the digest that both signed; what has changed since stands beside it.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground import audit, signatures
from enrollment.ground.accounts import Account, Actor, Office, Role
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.reports.tables.report import Place, Question, Table, read
from enrollment.reports.tables.statistics import STATISTICS, reference_day


class StatisticsReturn(Base):
    """`content` has the codes of the columns and the rows, a kindergarten as its id, name and area; `digest` is the SHA-256 of it with
    area, year and day.  A return that nobody has signed as the second person is counted again by the next one."""

    __tablename__ = "statistics_return"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    area_code: Mapped[str] = mapped_column(ForeignKey("area.code"))
    year: Mapped[int]
    on_day: Mapped[dt.date]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[str]
    made_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[dt.datetime]
    signed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    signed_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("(signed_at IS NULL) = (signed_by IS NULL)", name="signed_whole"),
        CheckConstraint("(signed_by <> made_by) IS NOT FALSE", name="second_person"),
        Index(
            "uq_statistics_return__one_open", "area_code", "year", unique=True,
            postgresql_where=text("signed_at IS NULL"),
        ),
        Index("ix_statistics_return__signed", "area_code", "year", "signed_at"),
    )  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A return with the names of its two people; `lapsed` if nobody signed it in time."""

    row: StatisticsReturn
    made_by: str
    signed_by: str | None
    lapsed: bool

    @property
    def table(self) -> Table:
        """The report as it was handed in."""
        columns = {column.code: column for column in STATISTICS.columns}
        known = [place for place, code in enumerate(self.row.content["columns"]) if code in columns]
        report = replace(
            STATISTICS,
            columns=tuple(columns[self.row.content["columns"][place]] for place in known),
            parts=(),
            same_as=None,
        )
        rows = [tuple(_read(row[place]) for place in known) for row in self.row.content["rows"]]
        return Table(report, rows, self.row.made_at)

    def children_of(self, kindergarten_id: uuid.UUID) -> int | None:
        """How many children of a kindergarten were handed in."""
        table = self.table
        at = table.report.place_of("children")
        return next((row[at] for row in table.rows if row[0].id == kindergarten_id), None)


def first_day(year: int) -> dt.date:
    """The day for which it is counted, and from which it can be."""
    return dt.date(year, 9, 1)


def may_sign(area: str, by: Actor) -> bool:
    """Officials of the area hand its return in; the city reads it."""
    return by.is_any(Role.AREA_OFFICIAL) and area in by.areas


def hand_in(session: Session, area: str, year: int, *, by: Actor, now: dt.datetime) -> StatisticsReturn:
    """Count the return of the area for 1 September, as the first of two people.

    Refuses `return_too_early` before that day and `return_unequal` if its sums do not agree.
    """
    _require_area(area, by)
    question = Question(session, year, by, now, area=area)
    on = reference_day(question)
    if on < first_day(year):
        raise Refused("return_too_early", day=first_day(year).isoformat())
    table = read(STATISTICS, question, how="file")
    if table.unequal or not table.rows:
        raise Refused("return_unequal")
    content = {
        "columns": [column.code for column in table.report.columns],
        "rows": [[_written(cell) for cell in row] for row in table.rows],
    }
    values = {
        "on_day": on, "content": content, "digest": _digest(area, year, on, content), "made_by": by.account_id, "made_at": now,
    }  # fmt: skip
    found = select(StatisticsReturn).where(
        StatisticsReturn.area_code == area, StatisticsReturn.year == year, StatisticsReturn.signed_at.is_(None)
    )
    made = session.scalars(found.with_for_update()).one_or_none()
    if made is None:
        made = StatisticsReturn(area_code=area, year=year, **values)
        session.add(made)
    else:
        for name, value in values.items():
            setattr(made, name, value)
    session.flush()
    audit.record(
        session, "hand_in_return", "statistics_return", made.id, by=by, now=now, area=area, year=year, digest=made.digest
    )  # fmt: skip
    return made


def sign(session: Session, return_id: uuid.UUID, *, seen: str, by: Actor, now: dt.datetime) -> StatisticsReturn:
    """Sign the return as the second person; `seen` is the digest that the page showed.

    Refuses `return_counted_again` if it is another one by now, `decided_already`, `second_person_needed`, `request_lapsed`,
    `first_person_left`: then it is handed in anew.
    """
    found = session.get(StatisticsReturn, return_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("statistics_return")
    _require_area(found.area_code, by)
    if found.signed_at is not None:
        raise Refused("decided_already")
    if found.digest != seen:
        raise Refused("return_counted_again")
    if found.made_by == by.account_id:
        raise Refused("second_person_needed")
    signatures.require_open(found.made_at, now)
    signatures.require_first_person(session, found.made_by, Office(area=found.area_code, city=False))
    found.signed_by, found.signed_at = by.account_id, now
    session.flush()
    audit.record(session, "sign_return", "statistics_return", found.id, by=by, now=now, digest=found.digest)
    return found


def of_area(session: Session, area: str, year: int, now: dt.datetime) -> list[Told]:
    """The returns of an area and year: one that waits for the second person, then the signed ones, the newest first."""
    found = (
        select(StatisticsReturn)
        .where(StatisticsReturn.area_code == area, StatisticsReturn.year == year)
        .order_by(StatisticsReturn.signed_at.desc().nulls_first())
    )
    return _told(session, session.scalars(found).all(), now)


def newest_signed(session: Session, area: str, year: int, now: dt.datetime) -> Told | None:
    return next((each for each in of_area(session, area, year, now) if each.row.signed_at is not None), None)


def find(session: Session, return_id: uuid.UUID, now: dt.datetime) -> Told:
    """A return by its id.  The caller checks the area."""
    row = session.get(StatisticsReturn, return_id)
    if row is None:
        raise NotFound("statistics_return")
    return _told(session, [row], now)[0]


def changed_since(signed: Told, now: Table) -> list[tuple[str, int, int]]:
    """The sums that differ from those that were handed in: (code of the column, then, now)."""
    then = signed.table
    codes = [column.code for column in now.report.columns if column.total]
    known = {column.code for column in then.report.columns}
    sums = [(code, then.total(code) or 0, now.total(code) or 0) for code in codes if code in known]
    return [each for each in sums if each[1] != each[2]]


def _told(session: Session, rows: Sequence[StatisticsReturn], now: dt.datetime) -> list[Told]:
    people = {each for row in rows for each in (row.made_by, row.signed_by) if each is not None}
    found = session.execute(select(Account.id, Account.name).where(Account.id.in_(people)))
    names = {row.id: row.name for row in found}
    return [
        Told(
            row,
            names.get(row.made_by, ""),
            names.get(row.signed_by, "") if row.signed_by else None,
            row.signed_at is None and signatures.has_lapsed(row.made_at, now),
        )
        for row in rows
    ]


def _require_area(area: str, by: Actor) -> None:
    if not may_sign(area, by):
        raise NotFound(area)


def of_kindergarten(
    session: Session, kindergarten: Kindergarten, year: int, now: dt.datetime
) -> tuple[Told, int] | None:
    """The newest signed return of the kindergarten's area, and how many children it names of this kindergarten."""
    signed = newest_signed(session, kindergarten.area_code, year, now)
    children = signed.children_of(kindergarten.id) if signed else None
    return (signed, children) if signed and children is not None else None


def _written(cell: Any) -> Any:
    return {"place": [str(cell.id), cell.name, cell.area]} if isinstance(cell, Place) else cell


def _read(cell: Any) -> Any:
    if isinstance(cell, dict):
        place_id, name, area = cell["place"]
        return Place(uuid.UUID(place_id), name, area)
    return cell


def _digest(area: str, year: int, on: dt.date, content: dict[str, Any]) -> str:
    said = json.dumps([area, year, on.isoformat(), content], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()
