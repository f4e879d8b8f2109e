"""Targets of the two shares and of the high-quality kindergartens: the row of a decision, and which decision holds on a day.

A decision is a proposal until a second person signs it.  Nothing of it changes afterwards; a correction is a new
decision.  A share of an area without its own target has the target of the city, and a year without decisions has none.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, TypeDecorator, select, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, Session, mapped_column

from allocation.coverage import Percent
from enrollment.ground.db import Base


class TargetScope(StrEnum):
    """Whose target it is: the city's own, an area's own, or the least that the state asks of each county."""

    CITY = "city"
    AREA = "area"
    NATIONAL = "national"


class Hundredths(TypeDecorator[Percent]):
    """A percentage; the column holds hundredths of a percent."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Percent | None, dialect: Dialect) -> int | None:
        return None if value is None else value.hundredths

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Percent | None:
        return None if value is None else Percent(value)


class TargetDecision(Base):
    """Targets for the figures of one calendar year, from the day `in_force_from`, with the document that sets them.

    What the document does not name is NULL.
    """

    __tablename__ = "target_decision"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    year: Mapped[int]
    scope: Mapped[str]
    area_code: Mapped[str | None] = mapped_column(ForeignKey("area.code"))
    public: Mapped[Percent | None] = mapped_column(Hundredths)
    inclusive: Mapped[Percent | None] = mapped_column(Hundredths)
    high_quality: Mapped[int | None]
    in_force_from: Mapped[dt.date]
    source_name: Mapped[str]
    source_number: Mapped[str | None]
    source_date: Mapped[dt.date]
    proposed_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime]
    signed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    signed_at: Mapped[dt.datetime | None]
    withdrawn_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    withdrawn_at: Mapped[dt.datetime | None]

    __table_args__ = (
        CheckConstraint("year BETWEEN 2000 AND 2100", name="sane_year"),
        CheckConstraint("scope IN ('city','area','national')", name="known_scope"),
        CheckConstraint("(scope = 'area') = (area_code IS NOT NULL)", name="area_of_its_own"),
        CheckConstraint("public BETWEEN 0 AND 10000 AND inclusive BETWEEN 0 AND 10000", name="zero_to_all"),
        CheckConstraint("public IS NOT NULL OR inclusive IS NOT NULL OR high_quality IS NOT NULL", name="some_share"),
        CheckConstraint(
            "high_quality IS NULL OR (high_quality BETWEEN 1 AND 10000 AND scope <> 'national')",
            name="some_kindergartens",
        ),
        CheckConstraint("in_force_from <= make_date(year, 12, 31)", name="in_force_in_its_year"),
        CheckConstraint("length(source_name) > 0", name="has_a_source"),
        CheckConstraint("(signed_by IS NULL) = (signed_at IS NULL)", name="signed_by_somebody"),
        CheckConstraint("signed_by <> proposed_by", name="second_person"),
        CheckConstraint("(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", name="withdrawn_by_somebody"),
        CheckConstraint("signed_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        Index(
            "uq_target_decision__one_proposal",
            "year",
            "scope",
            "area_code",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("signed_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )


@dataclass(frozen=True)
class Targets:
    """Targets of both shares, and how many kindergartens are to be of high quality; None where nobody has set one."""

    public: Percent | None = None
    inclusive: Percent | None = None
    high_quality: int | None = None

    def __bool__(self) -> bool:
        return self.public is not None or self.inclusive is not None or self.high_quality is not None

    def over(self, other: "Targets") -> "Targets":
        """These targets, and those of the other where these are missing."""
        return Targets(
            other.public if self.public is None else self.public,
            other.inclusive if self.inclusive is None else self.inclusive,
            other.high_quality if self.high_quality is None else self.high_quality,
        )


@dataclass(frozen=True)
class YearTargets:
    """The targets of a year on a day: the city's, the areas' own by code, the state's, and the decisions behind them."""

    year: int
    city: Targets = Targets()
    areas: Mapping[str, Targets] = field(default_factory=dict)
    national: Targets = Targets()
    decisions: tuple[TargetDecision, ...] = ()

    def of_area(self, code: str) -> Targets:
        """The shares of the area or else the city; a number of kindergartens is the area's own."""
        own = self.areas.get(code, Targets())
        return replace(own.over(self.city), high_quality=own.high_quality)


def targets_on(session: Session, on: dt.date, *, year: int | None = None) -> YearTargets:
    """The signed targets that hold on a day for the figures of a year, by default the day's own."""
    year = year or on.year
    signed = (
        select(TargetDecision)
        .where(TargetDecision.year == year, TargetDecision.signed_at.is_not(None), TargetDecision.in_force_from <= on)
        .order_by(TargetDecision.in_force_from.desc(), TargetDecision.signed_at.desc())
    )
    by_place: dict[tuple[str, str | None], list[TargetDecision]] = {}
    for decision in session.scalars(signed):
        by_place.setdefault((decision.scope, decision.area_code), []).append(decision)
    holding = {place: _newest(decisions) for place, decisions in by_place.items()}
    used = [one for decisions in by_place.values() for one in _used(decisions)]
    return YearTargets(
        year,
        holding.get((TargetScope.CITY, None), Targets()),
        {area: targets for (scope, area), targets in holding.items() if scope == TargetScope.AREA and area},
        holding.get((TargetScope.NATIONAL, None), Targets()),
        tuple(used),
    )


def _newest(decisions: Iterable[TargetDecision]) -> Targets:
    """The newest target of each share."""
    found = Targets()
    for decision in decisions:
        found = found.over(Targets(decision.public, decision.inclusive, decision.high_quality))
    return found


def _used(decisions: Iterable[TargetDecision]) -> list[TargetDecision]:
    """The decisions that say something that no newer one says."""
    used, found = [], Targets()
    for decision in decisions:
        more = found.over(Targets(decision.public, decision.inclusive, decision.high_quality))
        if more != found:
            used.append(decision)
        found = more
    return used
