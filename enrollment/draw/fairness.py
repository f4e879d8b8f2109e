"""Counts of a run: placements by area, by priority, by ground, and of siblings.

The engine's own summary has the other figures.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from allocation.market import Market
from allocation.outcome import LINE, Outcome
from enrollment.applications.application_rows import Application
from enrollment.applications.claim_rows import Claim, VerifiedFact
from enrollment.draw.run_rows import Placement
from enrollment.ground.sealed.codes import KeyedCode
from enrollment.season import small_cells
from enrollment.season.facts import FACTS_OF_GROUND, SENSITIVE_GROUNDS, Fact, Ground
from enrollment.season.small_cells import PublicCounts

_DECIDES = {
    **{ground: facts[0] for ground, facts in FACTS_OF_GROUND.items()},
    Ground.LOCAL_HUKOU: Fact.HUKOU_KIND,
    Ground.COLLECTIVE_HUKOU: Fact.HUKOU_KIND,
    Ground.HOME_OWNER: Fact.HOME_OWNED,
}
"""The fact without which a claim of the ground counts nothing."""
_BY_KINDERGARTEN = (Ground.SERVICE_AREA, Ground.ESTATE_OWNER)
"""These grounds depend on the kindergarten of the wish.  They are not properties of a child and are not counted."""
_KINDS = {Ground.LOCAL_HUKOU: "local", Ground.COLLECTIVE_HUKOU: "collective"}


FirstWishes = Mapping[str, tuple[str, int]]
"""For each child code the area of the first wish of its own list, and the tier that applied to that wish."""


def figures(market: Market, found: Outcome, first_wishes: FirstWishes | None = None) -> dict[str, Any]:
    """Counts only.  Shares are computed from them, so that nothing is rounded twice.

    In a replay a family may take part with the place alone that it holds.  `first_wishes` then says what stood first on
    its own list, so that the figures of a run and of its replay count the same thing.
    """
    first = _first_of_market(market, found) if first_wishes is None else _first_of_list(market, first_wishes)
    return {
        "unplaced": market.children - found.placed,
        "by_area": _by_area(first, found),
        "by_tier": _by_tier(first, found),
        "siblings": _siblings(market, found),
        "with_a_line": int((found.cutoffs.state == LINE).sum()),
    }


def by_ground(session: Session, run_id: uuid.UUID) -> dict[str, PublicCounts]:
    """For each ground that was claimed and verified: children, placed children, children placed at their first wish.

    Small cells are hidden.  A child may have several grounds, so the rows are not parts of a total.  Counted when the run is saved, so that later decisions do not change the counts.
    """
    rows = session.execute(
        select(
            Claim.ground,
            func.count(),
            func.count(Placement.programme_id),
            func.count().filter(Placement.rank == 1),
        )
        .select_from(Placement)
        .join(Claim, Claim.application_id == Placement.application_id)
        .join(VerifiedFact, _verified_claim())
        .where(Placement.run_id == run_id, Claim.ground.not_in(_BY_KINDERGARTEN))
        .group_by(Claim.ground)
    )
    counted = {ground: _counts(children, placed, first) for ground, children, placed, first in rows}
    told = small_cells.hide(counted, sensitive=SENSITIVE_GROUNDS)
    return {ground.value: told[ground.value] for ground in Ground if ground.value in told}


def children_by_ground(session: Session, year: int) -> dict[str, Sequence[str]]:
    """For each ground that was claimed and verified the codes of the children, as `by_ground` counts them."""
    found = (
        select(Claim.ground, func.array_agg(Application.child_code))
        .join(Application, Application.id == Claim.application_id)
        .join(VerifiedFact, _verified_claim())
        .where(Application.year == year, Application.child_code.is_not(None), Claim.ground.not_in(_BY_KINDERGARTEN))
        .group_by(Claim.ground)
    )
    return {ground: codes for ground, codes in session.execute(found)}


def _verified_claim() -> ColumnElement[bool]:
    """Joins a claim with the verified fact that decides whether it counts."""
    decisive = case(
        *((Claim.ground == ground.value, literal(fact.value, KeyedCode)) for ground, fact in _DECIDES.items())
    )
    return and_(
        VerifiedFact.application_id == Claim.application_id,
        VerifiedFact.fact == decisive,
        VerifiedFact.outcome == "verified",
        or_(VerifiedFact.sealed_value.is_not(None), VerifiedFact.plain_value != cast(False, JSONB)),
        *(
            or_(Claim.ground != ground.value, VerifiedFact.plain_value == cast(kind, JSONB))
            for ground, kind in _KINDS.items()
        ),
    )


def public_figures(summary: dict[str, Any]) -> dict[str, Any]:
    """A run's summary as everybody may read it: priorities and areas with few children are not listed, and neither are
    bound children and siblings if they are few.  In a supplementary round that would be the result of one family.

    The tiers and areas are parts of all children, whose number is public; how many an area leaves without a place is too.
    """
    told = summary | {
        "by_tier": small_cells.hide(summary.get("by_tier", {}), with_total=True),
        "by_area": small_cells.hide(summary.get("by_area", {}), sensitive=(), with_total=True),
    }
    if small_cells.is_small(summary["multiples"]["bound"]["children"]):
        told["multiples"] = None
    if small_cells.is_small(summary["siblings"]["named"]):
        told["siblings"] = None
    return told


def _counts(children: Any, placed: Any, first: Any) -> dict[str, int]:
    return {"children": int(children), "placed": int(placed), "first": int(first)}


def _of_group(group: np.ndarray, rank: np.ndarray) -> dict[str, int]:
    return _counts(group.sum(), (group & (rank > 0)).sum(), (group & (rank == 1)).sum())


def children_by_area(market: Market, first_wishes: FirstWishes | None) -> dict[str, np.ndarray]:
    """The numbers of the children by the area of their first wish, as `figures` counts them; "" is not an area."""
    first = _areas_of_market(market) if first_wishes is None else _areas_of_list(market, first_wishes)
    child, area = first[0], np.array(first[1], dtype=object)
    return {name: child[area == name] for name in sorted(set(first[1])) if name}


@dataclass(frozen=True)
class _First:
    """The first wish of each child that has wishes: its row (`child`), area ("" unknown) and tier."""

    child: np.ndarray
    area: list[str]
    tier: list[int]


def _first_of_market(market: Market, found: Outcome) -> _First:
    child, area = _areas_of_market(market)
    return _First(child, area, found.unit_tier[market.offsets[:-1][child]].tolist())


def _areas_of_market(market: Market) -> tuple[np.ndarray, list[str]]:
    child = np.flatnonzero(np.diff(market.offsets) > 0)
    if market.area is None:
        return child, [""] * len(child)
    names = texts(market.codes.areas)
    return child, [names[at] for at in market.area[market.programme[market.offsets[:-1][child]]]]


def _first_of_list(market: Market, first_wishes: FirstWishes) -> _First:
    child, area = _areas_of_list(market, first_wishes)
    codes = texts(market.codes.children)
    return _First(child, area, [first_wishes[codes[at]][1] for at in child.tolist()])


def _areas_of_list(market: Market, first_wishes: FirstWishes) -> tuple[np.ndarray, list[str]]:
    child = np.flatnonzero(np.diff(market.offsets) > 0)
    codes = texts(market.codes.children)
    return child, [first_wishes[codes[at]][0] for at in child.tolist()]


def texts(codes: Any) -> list[str]:
    """Codes of a market as a list of texts."""
    return codes.to_pylist() if hasattr(codes, "to_pylist") else [str(code) for code in codes]


def _by_area(first: _First, found: Outcome) -> dict[str, dict[str, int]]:
    """By the area of the first wish."""
    area = np.array(first.area, dtype=object)
    rank = found.listed_rank[first.child]
    return {name: _of_group(area == name, rank) for name in sorted(set(first.area)) if name}


def _by_tier(first: _First, found: Outcome) -> dict[str, dict[str, int]]:
    """By the tier that applied to the first wish, from 0 as in the files."""
    tier = np.array(first.tier, dtype=np.int64)
    rank = found.listed_rank[first.child]
    return {str(one): _of_group(tier == one, rank) for one in np.unique(tier).tolist()}


def _siblings(market: Market, found: Outcome) -> dict[str, int]:
    """Younger children who name an elder sibling of this market: how many, and how many go to the same kindergarten."""
    if market.elder is None or market.kindergarten is None:
        return {"named": 0, "together": 0}
    younger = np.flatnonzero(market.elder >= 0)
    own, elder = found.programme[younger], found.programme[market.elder[younger]]
    both = (own >= 0) & (elder >= 0)
    together = market.kindergarten[own[both]] == market.kindergarten[elder[both]]
    return {"named": len(younger), "together": int(together.sum())}
