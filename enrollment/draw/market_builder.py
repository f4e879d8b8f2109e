"""A round's market as the rows of its files, and back."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from enrollment.draw import market_files
from enrollment.draw.market_files import (
    ChildRow,
    MarketFiles,
    PoolRow,
    ProgrammeRow,
    TicketRow,
    WishesInOrder,
    WishRow,
    WrittenPart,
)
from enrollment.draw.round_market import Group, OfferedProgramme, Participant, ReservedPool, RoundMarket


def encode(market: RoundMarket, tickets: Mapping[str, int]) -> MarketFiles:
    """The rows of a market.  `tickets` has the tickets of the season by child code; children without one get no row."""
    return MarketFiles(
        season=str(market.year),
        round=market.kind,
        pair_rule=market.pair_rule,
        programmes=[_programme_row(programme) for programme in market.programmes],
        children=[_child_row(child) for child in market.participants],
        wishes=WishRows(market.participants),
        pools=[_pool_row(programme.code, pool) for programme in market.programmes for pool in programme.pools],
        tickets=[TicketRow(each.child, tickets[each.child]) for each in market.participants if each.child in tickets],
    )


def write_part(participants: Iterable[Participant]) -> WrittenPart:
    """The rows of some participants in the order of their child codes, for `market_files.join_parts`."""
    listed = list(participants)
    return market_files.write_part([_child_row(each) for each in listed], WishRows(listed))


class WishRows(WishesInOrder):
    """The wishes of participants as rows, made while they are written: a city has a million."""

    def __init__(self, participants: Iterable[Participant]):
        self.participants = sorted(participants, key=lambda each: each.child)

    def __len__(self) -> int:
        return sum(len(each.wishes) for each in self.participants)

    def __iter__(self) -> Iterator[WishRow]:
        for each in self.participants:
            listed = zip(each.own_ranks, each.wishes, each.tiers, strict=True)
            yield from sorted([WishRow(each.child, rank, programme, tier) for rank, programme, tier in listed])


def _programme_row(programme: OfferedProgramme) -> ProgrammeRow:
    return ProgrammeRow(
        programme=programme.code,
        kindergarten=programme.kindergarten,
        level=programme.level,
        nature=programme.nature,
        area=programme.area,
        places=programme.places,
        sibling_tier=programme.sibling_tier,
    )


def _child_row(each: Participant) -> ChildRow:
    return ChildRow(each.child, each.family, each.unit, _joined(each.groups), each.elder, each.current)


def _pool_row(programme: str, pool: ReservedPool) -> PoolRow:
    groups = _joined(Group(programme, ground) for ground in pool.grounds)
    return PoolRow(programme, pool.code, pool.precedence, pool.places, groups, pool.unclaimed)


def _joined(groups: Iterable[Group]) -> str:
    return ";".join(sorted(f"{group.programme}.{group.ground}" for group in groups))


def _split(groups: str) -> tuple[Group, ...]:
    return tuple(sorted(Group(*group.rsplit(".", 1)) for group in groups.split(";") if group))


def decode(files: MarketFiles, ids: Mapping[str, uuid.UUID]) -> RoundMarket:
    """The market that `encode` wrote, without its tickets.  `ids` has each programme's id by its code."""
    wishes: defaultdict[str, list[WishRow]] = defaultdict(list)
    for wish in sorted(files.wishes):
        wishes[wish.child].append(wish)
    pools: defaultdict[str, list[PoolRow]] = defaultdict(list)
    for pool in sorted(files.pools, key=lambda pool: pool.precedence):
        pools[pool.programme].append(pool)
    return RoundMarket(
        year=int(files.season),
        kind=files.round,
        pair_rule=files.pair_rule,
        programmes=[_programme(row, ids[row.programme], pools[row.programme]) for row in files.programmes],
        participants=[_participant(row, wishes[row.child]) for row in files.children],
    )


def _programme(row: ProgrammeRow, programme_id: uuid.UUID, pools: list[PoolRow]) -> OfferedProgramme:
    return OfferedProgramme(
        id=programme_id,
        code=row.programme,
        kindergarten=row.kindergarten,
        level=row.level,
        nature=row.nature,
        area=row.area,
        places=row.places,
        sibling_tier=row.sibling_tier,
        pools=tuple(
            ReservedPool(
                pool.pool,
                pool.precedence,
                pool.places,
                tuple(group.ground for group in _split(pool.groups)),
                pool.unclaimed,
            )
            for pool in pools
        ),
    )


def _participant(row: ChildRow, wishes: list[WishRow]) -> Participant:
    return Participant(
        child=row.child,
        family=row.family,
        unit=row.unit,
        elder=row.elder,
        current=row.current,
        wishes=tuple(wish.programme for wish in wishes),
        tiers=tuple(wish.tier for wish in wishes),
        ranks=tuple(wish.rank for wish in wishes),
        groups=_split(row.groups),
    )
