"""Public counts of a run: placements by area, by priority, by ground, and of siblings.

The engine's own summary has the other figures.
"""

import uuid
from typing import Any

import numpy as np
from sqlalchemy import and_, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from allocation.market import Market
from allocation.outcome import LINE, Outcome
from enrollment.applications.claim_rows import Claim, VerifiedFact
from enrollment.draw.run_rows import Placement
from enrollment.season.facts import FACTS_OF_GROUND, Fact, Ground

FEWEST = 10
"""Smaller groups are not published by ground: a count of two would say something about two families."""

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


def figures(market: Market, found: Outcome) -> dict[str, Any]:
    """Counts only.  Shares are computed from them, so that nothing is rounded twice."""
    return {
        "unplaced": market.children - found.placed,
        "by_area": _by_area(market, found),
        "by_tier": _by_tier(market, found),
        "siblings": _siblings(market, found),
        "with_a_line": int((found.cutoffs.state == LINE).sum()),
    }


def by_ground(session: Session, run_id: uuid.UUID) -> dict[str, dict[str, int]]:
    """For each ground that was claimed and verified: children, placed children, children placed at their first wish.

    A child may have several grounds.  Counted when the run is saved, so that later decisions do not change the counts.
    """
    decisive = case({ground.value: fact.value for ground, fact in _DECIDES.items()}, value=Claim.ground)
    found_so = and_(
        VerifiedFact.application_id == Claim.application_id,
        VerifiedFact.fact == decisive,
        VerifiedFact.outcome == "verified",
        VerifiedFact.value != cast(False, JSONB),
        *(
            or_(Claim.ground != ground.value, VerifiedFact.value == cast(kind, JSONB))
            for ground, kind in _KINDS.items()
        ),
    )
    rows = session.execute(
        select(
            Claim.ground,
            func.count(),
            func.count(Placement.programme_id),
            func.count().filter(Placement.rank == 1),
        )
        .select_from(Placement)
        .join(Claim, Claim.application_id == Placement.application_id)
        .join(VerifiedFact, found_so)
        .where(Placement.run_id == run_id, Claim.ground.not_in(_BY_KINDERGARTEN))
        .group_by(Claim.ground)
    )
    told = {ground: _counts(children, placed, first) for ground, children, placed, first in rows if children >= FEWEST}
    return {ground.value: told[ground.value] for ground in Ground if ground.value in told}


def _counts(children: Any, placed: Any, first: Any) -> dict[str, int]:
    return {"children": int(children), "placed": int(placed), "first": int(first)}


def _of_group(group: np.ndarray, rank: np.ndarray) -> dict[str, int]:
    return _counts(group.sum(), (group & (rank > 0)).sum(), (group & (rank == 1)).sum())


def _by_area(market: Market, found: Outcome) -> dict[str, dict[str, int]]:
    """By the area of the first wish."""
    if market.area is None:
        return {}
    wishing = np.diff(market.offsets) > 0
    home = market.area[market.programme[market.offsets[:-1][wishing]]]
    codes = market.codes.areas
    names = codes.to_pylist() if hasattr(codes, "to_pylist") else list(codes)
    return {
        name: _of_group(home == area, found.rank[wishing]) for area, name in enumerate(names) if (home == area).any()
    }


def _by_tier(market: Market, found: Outcome) -> dict[str, dict[str, int]]:
    """By the tier that applied to the first wish, from 0 as in the files."""
    wishing = np.diff(market.offsets) > 0
    tier = found.unit_tier[market.offsets[:-1][wishing]]
    return {str(one): _of_group(tier == one, found.rank[wishing]) for one in np.unique(tier).tolist()}


def _siblings(market: Market, found: Outcome) -> dict[str, int]:
    """Younger children who name an elder sibling of this market: how many, and how many go to the same kindergarten."""
    if market.elder is None or market.kindergarten is None:
        return {"named": 0, "together": 0}
    younger = np.flatnonzero(market.elder >= 0)
    own, elder = found.programme[younger], found.programme[market.elder[younger]]
    both = (own >= 0) & (elder >= 0)
    together = market.kindergarten[own[both]] == market.kindergarten[elder[both]]
    return {"named": len(younger), "together": int(together.sum())}
