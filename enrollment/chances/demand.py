"""How many children ask for each programme of a round, counted every day, as everybody may read it.

A number of 1 to 9 children is not stored, nor what would give it away (`season.small_cells`).  Every day has a count, and whoever
knows that one child was added since yesterday must not read its tier from the difference: a tier that says that a
child has a sensitive ground is not told, and the children of any other only in tens.  The last count of a round is that of its
deadline; it stays, so that next year's families see how many applied.
"""

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, delete, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.draw.round_market import RoundMarket
from enrollment.ground import bulk_copy
from enrollment.ground.db import Base
from enrollment.ground.reading.catalogue import Part
from enrollment.places.programmes import Programme
from enrollment.season import small_cells
from enrollment.season.round_rows import Round, RoundKind
from enrollment.season.rules import Rules

TOLD_IN = 10
"""The children of a tier are told in tens."""


class Demand(Base):
    """The children who wish for a programme, and those who wish for it first; None below ten.

    `tiers` has the children of a tier by its number from 0, rounded down to tens, without small and sensitive tiers.
    """

    __tablename__ = "demand"

    round_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("round.id"), primary_key=True)
    programme_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programme.id"), primary_key=True)
    counted_at: Mapped[dt.datetime]
    children: Mapped[int | None]
    first: Mapped[int | None]
    tiers: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (CheckConstraint("children >= 10 AND first >= 0 AND first <= children", name="no_small_numbers"),)


@dataclass(frozen=True)
class Counted:
    """The public count of one programme."""

    programme_id: uuid.UUID
    children: int | None
    first: int | None
    tiers: Mapping[str, int]


def count(market: RoundMarket, rules: Mapping[str, Rules]) -> list[Counted]:
    """The public counts of every programme of a market; `rules` are those of each area."""
    tiers: dict[str, Counter[int]] = {each.code: Counter() for each in market.programmes}
    firsts: dict[str, Counter[int]] = {each.code: Counter() for each in market.programmes}
    for child in market.participants:
        for code, tier, rank in zip(child.wishes, child.tiers, child.own_ranks, strict=True):
            tiers[code][tier] += 1
            firsts[code][tier] += rank == 1
    return [
        _public(each.id, tiers[each.code], firsts[each.code], rules[each.area].sensitive_tiers(each.nature))
        for each in market.programmes
    ]


def _public(programme_id: uuid.UUID, tiers: Counter[int], firsts: Counter[int], sensitive: Collection[int]) -> Counted:
    children, first = tiers.total(), firsts.total()
    if children < small_cells.FEWEST:
        return Counted(programme_id, None, None, {})
    rows = {str(tier): {"children": n, "placed": 0, "first": 0} for tier, n in sorted(tiers.items())}
    told = small_cells.hide(rows, sensitive=(), with_total=True)
    hidden_first = small_cells.is_small(first) or small_cells.is_small(children - first)
    by_tier = {
        tier: counts["children"] // TOLD_IN * TOLD_IN
        for tier, counts in told.items()
        if counts["children"] is not None and int(tier) not in sensitive
    }
    return Counted(programme_id, children, None if hidden_first else first, by_tier)


def save(session: Session, round_id: uuid.UUID, counted: list[Counted], *, now: dt.datetime) -> None:
    """Replace the counts of a round."""
    session.execute(delete(Demand).where(Demand.round_id == round_id))
    rows = ((round_id, each.programme_id, now, each.children, each.first, json.dumps(each.tiers)) for each in counted)
    columns = ("round_id", "programme_id", "counted_at", "children", "first", "tiers")
    bulk_copy.copy_rows(session, "demand", columns, rows)


@dataclass(frozen=True)
class YearDemand:
    """The newest count of a main round, by kindergarten and level."""

    counted_at: dt.datetime
    of: Mapping[tuple[uuid.UUID, str], Counted]


def _read(session: Session) -> dict[int, YearDemand]:
    query = (
        select(Demand, Round.year, Programme.kindergarten_id, Programme.level)
        .join(Round, Round.id == Demand.round_id)
        .join(Programme, Programme.id == Demand.programme_id)
        .where(Round.kind == RoundKind.MAIN)
    )
    years: dict[int, dict[tuple[uuid.UUID, str], Counted]] = {}
    when: dict[int, dt.datetime] = {}
    for row, year, kindergarten_id, level in session.execute(query):
        found = Counted(row.programme_id, row.children, row.first, row.tiers)
        years.setdefault(year, {})[kindergarten_id, level] = found
        when[year] = max(when.get(year, row.counted_at), row.counted_at)
    return {year: YearDemand(when[year], of) for year, of in years.items()}


DEMAND = Part("demand", ("demand",), _read, every=dt.timedelta(seconds=20))


def of_year(session: Session, year: int | None) -> YearDemand | None:
    """The demand of a year's main round; None before it was counted first."""
    kept = DEMAND.of(session)
    return (_read(session) if kept is None else kept).get(year or 0)
