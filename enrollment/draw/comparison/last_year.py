"""What a run would have given under the rules of the year before: the same children, wishes, tickets and places.

Four parts of the rules can differ: the order of priority of the areas, the reserved places of the programmes with the
groups that they are for, the rule for bound children, and the number of wishes.  Each is tried alone, then all together.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from allocation.arrays import Array
from allocation.market import Market
from allocation.outcome import Outcome
from allocation.pools import Pool
from allocation.solve import solve
from enrollment.draw import participants
from enrollment.draw.fairness import texts
from enrollment.draw.participants import TAKES_PART, FactBasis
from enrollment.draw.round_market import Group, ReservedPool
from enrollment.places.programmes import Programme
from enrollment.season import policy_approval, small_cells
from enrollment.season.round_rows import Round, RoundKind, RoundStage

Tiers = Mapping[str, Mapping[str, int]]
"""For each child code its tier at each programme that it wishes for."""


class RulePart(StrEnum):
    """What of the rules can differ from the year before."""

    TIERS = "tiers"
    POOLS = "pools"
    PAIR_RULE = "pair_rule"
    MAX_WISHES = "max_wishes"


@dataclass(frozen=True)
class LastYear:
    """The rules of the year before, as far as they are on file; an empty mapping or None where they are not.

    `tiers`, `groups` and `sibling_tiers` follow from the policies of that year, `groups` by child code and `sibling_tiers`
    by programme code.  `pools` are the reserved places of the programmes that there were, by the programme's code of this
    year.  `now` has this year's pair rule and number of wishes.
    """

    tiers: Tiers = field(default_factory=dict)
    groups: Mapping[str, Sequence[Group]] = field(default_factory=dict)
    sibling_tiers: Mapping[str, int | None] = field(default_factory=dict)
    pools: Mapping[str, Sequence[ReservedPool]] = field(default_factory=dict)
    pair_rule: str | None = None
    max_wishes: int | None = None
    now: tuple[str, int] = ("", 0)


def read(session: Session, round_: Round) -> LastYear | None:
    """The rules of the year before, applied to who takes part in the round; None where there was no such year.

    It reads the families anew.  No lock is needed: what changed since the list was frozen keeps this year's tiers.
    """
    signed = policy_approval.policies_in_force(session, round_.year - 1)
    rules = {area: policy_approval.rules_in_force(policy.text) for area, policy in signed.items()}
    before = _round_before(session, round_)
    if not rules and before is None:
        return None
    found: dict[str, Any] = {"now": (round_.pair_rule, round_.max_wishes)}
    if rules:
        market = participants.read(
            session, round_, stages=TAKES_PART, basis=FactBasis.VERIFIED, strict=False, rules=rules
        )
        found["tiers"] = {each.child: dict(zip(each.wishes, each.tiers, strict=True)) for each in market.participants}
        found["groups"] = {each.child: each.groups for each in market.participants}
        found["sibling_tiers"] = {each.code: each.sibling_tier for each in market.programmes}
    if before is not None:
        found |= {"pair_rule": before.pair_rule, "max_wishes": before.max_wishes}
        if round_.kind == RoundKind.MAIN:  # of a later round the places that an earlier one left are for everybody
            found["pools"] = dict(_pools_before(session, round_.year))
    return LastYear(**found)


def _round_before(session: Session, round_: Round) -> Round | None:
    """The first round of the same kind of the year before, if it ever opened."""
    found = select(Round).where(
        Round.year == round_.year - 1, Round.kind == round_.kind, Round.stage != RoundStage.PLANNED
    )
    return session.scalars(found.order_by(Round.number).limit(1)).first()


def _pools_before(session: Session, year: int) -> Iterator[tuple[str, tuple[ReservedPool, ...]]]:
    now = aliased(Programme)
    same = (now.kindergarten_id == Programme.kindergarten_id) & (now.level == Programme.level) & (now.year == year)
    for programme in session.scalars(
        select(Programme).where(Programme.year == year - 1, select(now).where(same).exists())
    ):
        yield (
            programme.code,
            tuple(
                ReservedPool(pool.code, pool.precedence, pool.places, tuple(pool.groups), pool.unclaimed)
                for pool in programme.pools
            ),
        )


def compare(market: Market, found: Outcome, last: LastYear, grounds: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """How many children `found` places at a better or a worse wish than the rules of the year before.

    `all` and `grounds` are (children, better, worse) under all of them at once; grounds whose numbers point to a few
    children are left out.  `parts` are (better, worse) of each part that differs, alone, and `rules` what it was and is.
    Needs no transaction.
    """
    before = _Before.of(market, last)
    rules = before.differences()
    better, worse = _against(found, before, tuple(rules))
    number = {code: at for at, code in enumerate(texts(market.codes.children))}
    told = {}
    for ground, codes in grounds.items():
        rows = np.array([number[code] for code in codes if code in number], dtype=np.int64)
        counts = [len(rows), int(better[rows].sum()), int(worse[rows].sum())]
        if counts[0] >= small_cells.FEWEST and not any(
            map(small_cells.is_small, (*counts, counts[0] - sum(counts[1:])))
        ):
            told[ground] = counts
    alone = {part: [int(side.sum()) for side in _against(found, before, (part,))] for part in rules}
    return {
        "all": [market.children, int(better.sum()), int(worse.sum())],
        "grounds": told,
        "parts": alone,
        "rules": rules,
    }


def _against(found: Outcome, before: "_Before", parts: Collection[RulePart]) -> tuple[Array, Array]:
    """bool[n] twice: who is placed better, and who worse, than with these parts of the rules as they were."""
    other = solve(before.market_with(parts)) if parts else found
    now, then = (np.where(one.rank > 0, one.rank, np.iinfo(np.int32).max) for one in (found, other))
    return now < then, now > then


@dataclass(frozen=True)
class _Before:
    """The columns of a market as the rules of the year before have them.

    `pools` name their groups by numbers that go on after those of the market: `group_codes` has the texts of all.
    """

    market: Market
    last: LastYear
    tier: Array
    sibling_tier: Array
    groups: tuple[Array, Array]
    pools: tuple[Pool, ...]
    group_codes: tuple[str, ...]

    @classmethod
    def of(cls, market: Market, last: LastYear) -> "_Before":
        number = {code: at for at, code in enumerate(texts(market.codes.groups))}
        groups = _groups(market, last, number)
        pools = tuple(_pools(market, last, number))
        return cls(market, last, _tiers(market, last), _sibling_tiers(market, last), groups, pools, tuple(number))

    def differences(self) -> dict[RulePart, list[Any]]:
        """What a part of the rules was and is, or how often it differs, for each part that differs."""
        market, last = self.market, self.last
        pair_rule, max_wishes = last.now
        found: dict[RulePart, list[Any]] = {}
        child = np.repeat(np.arange(market.children), np.diff(market.offsets))
        moved = len(np.unique(child[self.tier != market.tier]))
        if moved or not np.array_equal(self.sibling_tier, _sibling_tiers(market, LastYear())):
            found[RulePart.TIERS] = [moved]
        ours, theirs = self._by_programme(market.pools.listed), self._by_programme(self.pools)
        differing = sum(ours.get(code) != theirs.get(code) for code in {*ours, *theirs})
        if differing:
            held = (sum(pool.places or 0 for pool in pools) for pools in (self.pools, market.pools.listed))
            found[RulePart.POOLS] = [differing, *held]
        if last.pair_rule not in (None, pair_rule):
            found[RulePart.PAIR_RULE] = [last.pair_rule, pair_rule]
        if last.max_wishes not in (None, max_wishes):
            found[RulePart.MAX_WISHES] = [last.max_wishes, max_wishes]
        return found

    def _by_programme(self, listed: Collection[Pool]) -> dict[int, list[tuple[Any, ...]]]:
        """The pools of each programme in their order; only the order of the precedence numbers counts."""
        found: dict[int, list[tuple[Any, ...]]] = {}
        for pool in sorted(listed, key=lambda one: (one.programme, one.precedence)):
            told = (pool.name, pool.places, frozenset(pool.groups), pool.unclaimed)
            found.setdefault(pool.programme, []).append(told)
        return found

    def market_with(self, parts: Collection[RulePart]) -> Market:
        """The market with these parts of its rules as they were.  Wishes that a family did not name nobody can add."""
        market, last = self.market, self.last
        columns: dict[str, Any] = {
            name: getattr(market, name)
            for name in (
                "offsets", "programme", "tier", "rank", "unit", "family", "elder", "current", "level", "nature", "area",
                "kindergarten", "sibling_tier",
            )
        }  # fmt: skip
        groups: Any = None if market.group_start is None else (market.group_start, market.group)
        pools = market.pools.listed
        if RulePart.TIERS in parts:
            columns |= {"tier": self.tier, "sibling_tier": self.sibling_tier}
        if RulePart.POOLS in parts:
            groups, pools = self.groups, self.pools
        if RulePart.MAX_WISHES in parts and last.max_wishes is not None:
            columns |= _first_wishes(market, columns["tier"], last.max_wishes)
        return Market.from_arrays(
            **columns,
            ticket=market.ticket,
            places=market.places,
            groups=groups,
            pools=pools,
            pair_rule=(last.pair_rule if RulePart.PAIR_RULE in parts else None) or market.pair_rule,
            season=market.season,
            round=market.round,
            codes=replace(market.codes, groups=self.group_codes),
        )


def _tiers(market: Market, last: LastYear) -> Array:
    """A wish without a tier of the year before keeps its own."""
    children, programmes = texts(market.codes.children), texts(market.codes.programmes)
    tier = np.array(market.tier)
    for child, code in enumerate(children):
        if before := last.tiers.get(code):
            for at in range(market.offsets[child], market.offsets[child + 1]):
                tier[at] = before.get(programmes[market.programme[at]], tier[at])
    return tier


def _sibling_tiers(market: Market, last: LastYear) -> Array:
    now = np.full(market.programmes, -1) if market.sibling_tier is None else np.array(market.sibling_tier)
    for at, code in enumerate(texts(market.codes.programmes)):
        if code in last.sibling_tiers:
            tier = last.sibling_tiers[code]
            now[at] = -1 if tier is None else tier
    return now


def _groups(market: Market, last: LastYear, number: dict[str, int]) -> tuple[Array, Array]:
    """The groups of each child, in CSR form; a child that the rules of the year before do not know keeps its own."""
    start = np.zeros(market.children + 1, dtype=np.int64) if market.group_start is None else market.group_start
    own = np.zeros(0, dtype=np.int32) if market.group is None else market.group
    groups: list[int] = []
    starts = [0]
    for child, code in enumerate(texts(market.codes.children)):
        if code in last.groups:
            names = (f"{each.programme}.{each.ground}" for each in last.groups[code])
            groups += (number.setdefault(name, len(number)) for name in names)
        else:
            groups += own[start[child] : start[child + 1]].tolist()
        starts.append(len(groups))
    return np.array(starts, dtype=np.int64), np.array(groups, dtype=np.int32)


def _pools(market: Market, last: LastYear, number: dict[str, int]) -> Iterator[Pool]:
    """The reserved places of the year before, in their order as many as the programme has places this year.

    A programme that is new keeps its own.
    """
    codes = texts(market.codes.programmes)
    yield from (pool for pool in market.pools.listed if codes[pool.programme] not in last.pools)
    for programme, code in enumerate(codes):
        left = int(market.places[programme])
        for pool in sorted(last.pools.get(code, ()), key=lambda one: one.precedence):
            places = min(pool.places, left)
            left -= places
            groups = tuple(number.setdefault(f"{code}.{ground}", len(number)) for ground in pool.grounds)
            yield Pool(programme, pool.code, pool.precedence, places, groups, pool.unclaimed)


def _first_wishes(market: Market, tier: Array, most: int) -> dict[str, Array]:
    """The columns of the wishes that have a number up to `most` in the family's own list; a place that a child holds stays."""
    sizes = np.diff(market.offsets)
    child = np.repeat(np.arange(market.children), sizes)
    rank = np.arange(len(child)) - market.offsets[child] + 1 if market.rank is None else market.rank
    kept = rank <= most
    if market.current is not None:
        kept |= market.programme == market.current[child]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(child[kept], minlength=market.children))))
    return {"offsets": offsets, "programme": market.programme[kept], "tier": tier[kept], "rank": rank[kept]}
