"""A round's market while families still register: everybody who has handed in, as if the draw were tomorrow.

It is the market that a freeze would make, with facts that nobody has verified yet, as the engine's arrays.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy.orm import Session

from allocation.market import Market, Pool
from enrollment.chances import demand
from enrollment.chances.demand import Counted
from enrollment.draw import participants
from enrollment.draw.participants import FactBasis
from enrollment.draw.round_market import Group, OfferedProgramme, Participant, RoundMarket
from enrollment.eligibility.tiers import rules_in_round
from enrollment.places.areas import LEVELS
from enrollment.season.facts import Ground
from enrollment.season.rounds import Round

GROUNDS = {str(ground): number for number, ground in enumerate(Ground)}


@dataclass(frozen=True)
class EstimateMarket:
    """The market of a round at a moment.  `programmes` are the ids of its programmes, in the market's order; `demand` says how
    many children ask for each of them.
    """

    round_id: uuid.UUID
    made_at: dt.datetime
    market: Market
    families: int
    programmes: tuple[uuid.UUID, ...]
    demand: tuple[Counted, ...] = ()

    def pools_of(self, at: int) -> list[dict[str, Any]]:
        """For whom each pool of a programme is, in the order in which a wish tries them."""
        table = self.market.pools
        found = []
        for pool in range(int(table.start[at]), int(table.start[at + 1])):
            groups = table.group[table.group_start[pool] : table.group_start[pool + 1]].tolist()
            grounds = [list(GROUNDS)[group % len(GROUNDS)] for group in groups]
            found.append({"grounds": sorted(grounds), "locked": bool(table.locked[pool])})
        return found


def read(session: Session, round_id: uuid.UUID, *, now: dt.datetime) -> EstimateMarket | None:
    """The market of everybody who takes part as things stand, or None when nobody has handed in.

    It refuses no family: bound children whose wishes differ, which a freeze refuses, count as separate.
    """
    round_ = session.get_one(Round, round_id)
    market = participants.read(session, round_, stages=participants.HANDED_IN, basis=FactBasis.LIKELY, strict=False)
    if not market.participants:
        return None
    families = len({each.family for each in market.participants})
    ids = tuple(programme.id for programme in market.programmes)
    rules = {area: rules_in_round(session, round_, area) for area in {each.area for each in market.programmes}}
    return EstimateMarket(round_id, now, encode(market), families, ids, tuple(demand.count(market, rules)))


def encode(market: RoundMarket) -> Market:
    """The market as the engine's arrays, children and programmes in the order of `market`, without tickets."""
    children, programmes = market.participants, market.programmes
    number = {programme.code: at for at, programme in enumerate(programmes)}
    pools = _pools(programmes, number)
    holding = any(each.current for each in children)
    return Market.from_arrays(
        [0, *accumulate(len(each.wishes) for each in children)],
        [number[code] for each in children for code in each.wishes],
        [tier for each in children for tier in each.tiers],
        None,
        [programme.places for programme in programmes],
        unit=_numbered([each.unit for each in children]),
        family=_numbered([each.family for each in children]),
        elder=_elders(children),
        current=[number.get(each.current, -1) for each in children] if holding else None,
        groups=[[_group(group, number) for group in each.groups] for each in children] if pools else None,
        pools=pools,
        level=[LEVELS.index(programme.level) for programme in programmes],
        kindergarten=_numbered([programme.kindergarten for programme in programmes]),
        sibling_tier=[-1 if each.sibling_tier is None else each.sibling_tier for each in programmes],
        pair_rule=market.pair_rule,
    )


def _numbered(codes: Sequence[str]) -> list[int]:
    """Codes as numbers from 0 in the order of their first appearance; -1 for ""."""
    number = {code: at for at, code in enumerate(dict.fromkeys(code for code in codes if code))}
    return [number.get(code, -1) for code in codes]


def _elders(children: Sequence[Participant]) -> list[int]:
    row_of = {each.child: row for row, each in enumerate(children)}
    return [row_of.get(each.elder, -1) for each in children]


def _group(group: Group, number: Mapping[str, int]) -> int:
    return number[group.programme] * len(GROUNDS) + GROUNDS[group.ground]


def _pools(programmes: Sequence[OfferedProgramme], number: Mapping[str, int]) -> list[Pool]:
    return [
        Pool(
            number[programme.code],
            pool.code,
            pool.precedence,
            pool.places,
            tuple(sorted(_group(Group(programme.code, ground), number) for ground in pool.grounds)),
            pool.unclaimed,
        )
        for programme in programmes
        for pool in programme.pools
    ]
