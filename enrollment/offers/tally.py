"""How many applications and offers a kindergarten has in each state, kept by the database.

Triggers add a row for what a statement changed (migration 0088), and `fold` adds the rows up.  A sum over them is exact at
any moment, and costs the same for a small and a large city: it grows with the kindergartens, not with the applications (ADR 40).
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Row, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.ground.db import Base
from enrollment.places.kindergartens import Kindergarten


class Subject(StrEnum):
    APPLICATION = "application"
    OFFER = "offer"


class SeasonTally(Base):
    """A change of a number; the sum of `n` is the number.  `kindergarten_id` is the one that reviews, or that of the place;
    an application that was never handed in has none."""

    __tablename__ = "season_tally"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    year: Mapped[int]
    subject: Mapped[str]
    kindergarten_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("kindergarten.id"))
    state: Mapped[str]
    n: Mapped[int]

    __table_args__ = (
        CheckConstraint("subject IN ('" + "','".join(Subject) + "')", name="known_subject"),
        Index("ix_season_tally__year", "year"),
    )


@dataclass(frozen=True)
class Counted:
    """A number of one area; `area` is "" for applications without a kindergarten."""

    year: int
    subject: str
    area: str
    state: str
    n: int


@dataclass(frozen=True)
class Tally:
    rows: tuple[Counted, ...]

    def total(self, subject: Subject, states: Collection[str], year: int) -> int:
        return sum(row.n for row in self.rows if row.subject == subject and row.year == year and row.state in states)

    def by_area(self, subject: Subject, states: Collection[str], year: int) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in self.rows:
            if row.subject == subject and row.year == year and row.state in states and row.area:
                found[row.area] = found.get(row.area, 0) + row.n
        return found


def of_kindergartens(session: Session, year: int, subject: Subject, states: Collection[str]) -> list[Row]:
    """The kindergartens (`name`, "—" where none reviews) with `n` of these, the largest number first."""
    n = func.sum(SeasonTally.n)
    counted = (
        select(SeasonTally.kindergarten_id, n.label("n"))
        .where(SeasonTally.year == year, SeasonTally.subject == subject, SeasonTally.state.in_(list(states)))
        .group_by(SeasonTally.kindergarten_id)
        .having(n > 0)
        .subquery()
    )
    found = (
        select(func.coalesce(Kindergarten.name, "—").label("name"), counted.c.n)
        .outerjoin_from(counted, Kindergarten, Kindergarten.id == counted.c.kindergarten_id)
        .order_by(counted.c.n.desc(), Kindergarten.name)
    )
    return list(session.execute(found))


def read(session: Session, years: Iterable[int], areas: Collection[str] | None = None) -> Tally:
    """The numbers of these years, of the kindergartens of these areas; of the whole city with None."""
    area = func.coalesce(Kindergarten.area_code, "")
    found = (
        select(SeasonTally.year, SeasonTally.subject, area, SeasonTally.state, func.sum(SeasonTally.n))
        .outerjoin(Kindergarten, Kindergarten.id == SeasonTally.kindergarten_id)
        .where(SeasonTally.year.in_(list(years)))
        .group_by(SeasonTally.year, SeasonTally.subject, area, SeasonTally.state)
        .having(func.sum(SeasonTally.n) != 0)
    )
    if areas is not None:
        found = found.where(Kindergarten.area_code.in_(list(areas)))
    return Tally(tuple(Counted(*row) for row in session.execute(found)))


FOLD = text("""
    WITH several AS (
        SELECT year, subject, kindergarten_id, state FROM season_tally
        GROUP BY year, subject, kindergarten_id, state HAVING count(*) > 1
    ), gone AS (
        DELETE FROM season_tally AS tally USING several
        WHERE (tally.year, tally.subject, tally.state) = (several.year, several.subject, several.state)
          AND tally.kindergarten_id IS NOT DISTINCT FROM several.kindergarten_id
        RETURNING tally.year, tally.subject, tally.kindergarten_id, tally.state, tally.n
    )
    INSERT INTO season_tally (year, subject, kindergarten_id, state, n)
    SELECT year, subject, kindergarten_id, state, sum(n) FROM gone
    GROUP BY year, subject, kindergarten_id, state HAVING sum(n) <> 0
""")


def fold(session: Session) -> int:
    """Make one row of several; return how many are new.  Two at once do no harm: each adds up what it deleted."""
    return int(session.execute(FOLD).rowcount)  # type: ignore[attr-defined]
