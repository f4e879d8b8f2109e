"""The families of a round as an experiment needs them: their declared wishes, and those that they are assumed to have.

A list is filled up with the nearest kindergartens of the same class level that take part in the round, up to `LONGEST`
wishes, because a family names a few kindergartens and may want more.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation.arrays import Array
from allocation.pools import Pool
from enrollment.applications.applications import Application
from enrollment.coverage import counts
from enrollment.coverage.indicator import Children, Definition, share
from enrollment.draw import participants
from enrollment.draw.participants import FactBasis
from enrollment.draw.round_market import OfferedProgramme, Participant, RoundMarket
from enrollment.eligibility.tiers import Entry, TierTable
from enrollment.ground.city_time import today
from enrollment.ground.classifications import Nature
from enrollment.ground.errors import Refused
from enrollment.laboratory import preferences
from enrollment.laboratory.families import GROUND_BIT, GROUNDS, Families, PolicyTiers, Programmes
from enrollment.laboratory.preferences import Choices
from enrollment.places.areas import LEVELS, NATURES, all_areas
from enrollment.places.distances import metres_to
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.service_areas import ServiceAreaIndex
from enrollment.season.facts import Fact, home_of
from enrollment.season.rounds import Round, get_round
from enrollment.season.rules import Rules

LONGEST = 12
"""The length of a list, unless the family declared more."""


@dataclass
class _Lists:
    """The lists child by child, as they are read."""

    programme: list[int] = field(default_factory=list)
    tier: list[int] = field(default_factory=list)
    grounds: list[int] = field(default_factory=list)
    metres: list[int] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    tier_under: dict[str, list[int]] = field(default_factory=dict)


def read(
    session: Session, round_id: uuid.UUID, *, now: dt.datetime, policies: Mapping[str, Rules] | None = None
) -> Families:
    """The families who have handed in wishes for the round, with facts as far as they are likely.

    `policies` are rules that variants apply in their area instead of those of the round, by the id of their version.

    Refuses `laboratory_without_families`, and what `tiers.rules_in_round` refuses.
    """
    round_ = get_round(session, round_id)
    market = participants.read(session, round_, stages=participants.HANDED_IN, basis=FactBasis.LIKELY, strict=False)
    if not market.participants:
        raise Refused("laboratory_without_families")
    rows = session.scalars(
        select(Programme).where(Programme.id.in_([each.id for each in market.programmes])).order_by(Programme.id)
    ).all()
    reader = _Reader(session, round_, market, rows, policies or {})
    lists = reader.lists()
    areas = tuple(area.code for area in all_areas(session))
    continuing = _continuing(session, areas, now)
    return _families(market, _programmes(market, rows, areas), lists, areas, continuing, reader.sibling_tiers())


class _Reader:
    """Reads the lists; the tables of the city are read once."""

    def __init__(
        self,
        session: Session,
        round_: Round,
        market: RoundMarket,
        programmes: Sequence[Programme],
        policies: Mapping[str, Rules],
    ) -> None:
        self.session, self.market = session, market
        self.number = {each.code: at for at, each in enumerate(market.programmes)}
        self.table = TierTable(session, round_, ServiceAreaIndex(session, round_.year))
        self.entries = [self._entry(each) for each in programmes]
        self.entries_under = {
            policy: [each._replace(rules=rules) if each.seen.area == rules.area else each for each in self.entries]
            for policy, rules in policies.items()
        }
        self.sites = np.array([_point(each.kindergarten) for each in programmes], dtype=float).reshape(-1, 2)
        level = np.array([LEVELS.index(each.level) for each in programmes])
        usable = ~np.isnan(self.sites).any(axis=1)
        self.near = {one: np.flatnonzero((level == one) & usable) for one in np.unique(level)}
        self.level = level

    def _entry(self, programme: Programme) -> Entry:
        plain = self.table.entry(programme.kindergarten)
        return plain._replace(reserved=plain.rules.grounds)

    def sibling_tiers(self) -> dict[str, list[int]]:
        """The sibling tier of each programme under each of the policies; -1 none."""
        return {
            policy: [-1 if each.sibling_tier is None else each.sibling_tier for each in entries]
            for policy, entries in self.entries_under.items()
        }

    def lists(self) -> _Lists:
        """Bound children have the list of the first of them, so that they name the same."""
        ids = self._ids()
        found = _Lists()
        of_unit: dict[str, list[int]] = {}
        in_order = [ids[each.child] for each in self.market.participants]
        facts = participants.facts_of(self.session, in_order, FactBasis.LIKELY)
        for each, (_id, known) in zip(self.market.participants, facts, strict=True):
            declared = [self.number[code] for code in each.wishes]
            extra = self._nearest(known, declared)
            if each.unit:
                extra = of_unit.setdefault(each.unit, extra)
            self._add(found, known, [*declared, *extra])
        return found

    def _ids(self) -> dict[str, uuid.UUID]:
        codes = [each.child for each in self.market.participants]
        rows = select(Application.child_code, Application.id).where(
            Application.year == self.market.year, Application.child_code.in_(codes)
        )
        return {code: application_id for code, application_id in self.session.execute(rows) if code}

    def _nearest(self, facts: Mapping[Fact, Any], declared: Sequence[int]) -> list[int]:
        """The nearest programmes beyond the declared ones; none where the home or the level is unknown."""
        home = _home_point(facts)
        wanted = LONGEST - len(declared)
        if home is None or not declared or wanted <= 0:
            return []
        here = self.near.get(int(self.level[declared[0]]), np.zeros(0, dtype=int))
        away = metres_to(home[0], home[1], self.sites[here])
        nearest = here[np.argsort(away, kind="stable")[: LONGEST + len(declared)]].tolist()
        return [programme for programme in nearest if programme not in declared][:wanted]

    def _add(self, found: _Lists, facts: Mapping[Fact, Any], programmes: Sequence[int]) -> None:
        priorities = self.table.priorities(facts, [self.entries[at] for at in programmes])
        found.programme += programmes
        found.tier += [priority.tiered.tier for priority in priorities]
        for policy, entries in self.entries_under.items():
            under = self.table.priorities(facts, [entries[at] for at in programmes])
            found.tier_under.setdefault(policy, []).extend(priority.tiered.tier for priority in under)
        found.grounds += [sum(GROUND_BIT[each] for each in GROUNDS if each in one.grounds) for one in priorities]
        found.metres += self._metres(_home_point(facts), list(programmes))
        found.length.append(len(programmes))

    def _metres(self, home: tuple[float, float] | None, programmes: list[int]) -> list[int]:
        """The distance to each; -1 where the home or the kindergarten has no coordinates."""
        away = np.full(len(programmes), -1)
        if home is not None:
            known = ~np.isnan(self.sites[programmes]).any(axis=1)
            away[known] = metres_to(home[0], home[1], self.sites[programmes][known])
        return [int(metres) for metres in away]


def _point(kindergarten: Kindergarten) -> tuple[float, float]:
    if kindergarten.longitude is None or kindergarten.latitude is None:
        return np.nan, np.nan
    return float(kindergarten.longitude), float(kindergarten.latitude)


def _home_point(facts: Mapping[Fact, Any]) -> tuple[float, float] | None:
    point = (home_of(facts) or {}).get("point")
    return (float(point[0]), float(point[1])) if point else None


def _programmes(market: RoundMarket, rows: Sequence[Programme], areas: Sequence[str]) -> Programmes:
    offered = market.programmes
    kindergartens = {code: at for at, code in enumerate(dict.fromkeys(each.kindergarten for each in offered))}
    return Programmes(
        codes=tuple(each.code for each in offered),
        names=tuple(row.kindergarten.name for row in rows),
        places=np.array([each.places for each in offered], dtype=np.int32),
        level=np.array([LEVELS.index(each.level) for each in offered]),
        nature=np.array([NATURES.index(each.nature) for each in offered]),
        area=np.array([areas.index(each.area) for each in offered]),
        kindergarten=np.array([kindergartens[each.kindergarten] for each in offered]),
        sibling_tier=np.array([-1 if each.sibling_tier is None else each.sibling_tier for each in offered]),
        counted=np.array([_counted_as(row) for row in rows]),
        pools=tuple(_pools(offered)),
    )


def _counted_as(programme: Programme) -> int:
    """The number of the nature under which the two shares count a child of the programme; -1: they do not count it."""
    kindergarten, definition = programme.kindergarten, Definition(dt.date(programme.year, 9, 1))
    nature = (kindergarten.parent or kindergarten).nature
    one = share([Children(1, nature, programme.level, kindergarten.attached)], definition)
    if not one.all:
        return -1
    return NATURES.index(Nature.PUBLIC if one.public else Nature.INCLUSIVE if one.inclusive else Nature.PRIVATE)


def _pools(offered: Iterable[OfferedProgramme]) -> Iterable[Pool]:
    for at, programme in enumerate(offered):
        for pool in programme.pools:
            grounds = tuple(GROUNDS.index(ground) for ground in sorted(pool.grounds))
            yield Pool(at, pool.code, pool.precedence, pool.places, grounds, pool.unclaimed)


def _families(
    market: RoundMarket,
    programmes: Programmes,
    lists: _Lists,
    areas: tuple[str, ...],
    continuing: Array,
    sibling_tiers: Mapping[str, list[int]],
) -> Families:
    children = market.participants
    offsets = np.concatenate(([0], np.cumsum(lists.length))).astype(np.int64)
    declared = np.array([len(each.wishes) for each in children], dtype=np.int32)
    programme = np.array(lists.programme, dtype=np.int32)
    metres = np.array(lists.metres, dtype=np.int32)
    known = metres >= 0
    kilometres = np.where(known, metres, metres[known].mean() if known.any() else 0) / 1000
    starts = np.minimum(offsets[:-1], max(len(programme) - 1, 0))
    chosen = np.where((declared > 0) & known[starts], offsets[:-1], -1)
    choices = Choices(offsets, programme, kilometres, chosen)
    taste = preferences.fit(choices, len(programmes.places))
    rows, worth = preferences.order(choices, declared, taste)
    rows = _same_in_units(rows, offsets, _numbers([each.unit for each in children]))
    return Families(
        offsets=offsets,
        programme=programme[rows],
        tier=np.array(lists.tier, dtype=np.uint8)[rows],
        grounds=np.array(lists.grounds, dtype=np.uint16)[rows],
        metres=metres[rows],
        worth=worth,
        declared=declared,
        family=_numbers([each.family for each in children]),
        unit=_numbers([each.unit for each in children]),
        elder=_elders(children),
        programmes=programmes,
        areas=areas,
        continuing=continuing,
        pair_rule=market.pair_rule,
        under_policy={
            policy: PolicyTiers(np.array(tiers, dtype=np.uint8)[rows], np.array(sibling_tiers[policy]))
            for policy, tiers in lists.tier_under.items()
        },
        fitted=taste.fitted,
    )


def _same_in_units(rows: Array, offsets: Array, unit: Array) -> Array:
    """The assumed wishes of bound children in the order of the first of them."""
    first: dict[int, int] = {}
    for child in np.flatnonzero(unit >= 0).tolist():
        head = first.setdefault(int(unit[child]), child)
        if head != child:
            rows[offsets[child] : offsets[child + 1]] = (
                rows[offsets[head] : offsets[head + 1]] - offsets[head] + offsets[child]
            )
    return rows


def _numbers(codes: Sequence[str]) -> Array:
    """Codes as numbers from 0 in the order of their first appearance; -1 for ""."""
    number = {code: at for at, code in enumerate(dict.fromkeys(code for code in codes if code))}
    return np.array([number.get(code, -1) for code in codes], dtype=np.int32)


def _elders(children: Sequence[Participant]) -> Array:
    row_of = {each.child: row for row, each in enumerate(children)}
    return np.array([row_of.get(each.elder, -1) for each in children], dtype=np.int32)


def _continuing(session: Session, areas: Sequence[str], now: dt.datetime) -> Array:
    """Children who stay in a class after the next summer, by area and nature, as the indicator counts them: the two shares
    count them beside the new ones.  From September on the roll has this year's new children, and without its upper classes
    it is again what the next ones come to."""
    definition = Definition(today(now))
    snapshot = counts.count(session, definition.on, definition.school_year + 1)
    staying = snapshot.after[: len(snapshot.after) - len(snapshot.coming)]
    found = np.zeros((len(areas), len(NATURES)), dtype=np.int64)
    number = {code: at for at, code in enumerate(areas)}
    for row in staying:
        counted = share([row.children], definition)
        neither = counted.all - counted.public - counted.inclusive
        found[number[row.area]] += (counted.public, counted.inclusive, neither)
    return found
