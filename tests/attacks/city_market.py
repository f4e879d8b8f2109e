"""A generated city as a market: its families have grounds and homes, and the tiers come from the shipped policies.

Grounds that only a few families have are as frequent as the caller wants; everything else is near the demo city's shares.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from enrollment.draw.market_files import ChildRow, MarketFiles, PoolRow, ProgrammeRow, WishRow
from enrollment.season import policy_file
from enrollment.season.facts import Fact, Ground
from enrollment.season.grounds import KindergartenFacts
from enrollment.season.rules import Rules

POLICIES = ("any-inclusive", "service-area", "whole-district", "worked-example")
HOW_MANY = (0.07, 0.15, 0.3, 0.2, 0.28)
SENSITIVE = (Ground.SPECIAL_NEED, Ground.POLICY_CARE)


@dataclass(frozen=True)
class Kindergarten:
    code: str
    area: int
    nature: str
    places: int
    point: tuple[float, float]
    liked: float
    pools: tuple[tuple[str, int, str, str], ...]  # code, places, ground, what happens to unclaimed places

    @property
    def facts(self) -> KindergartenFacts:
        return KindergartenFacts(
            self.code, self.nature, area_code(self.area), estates=frozenset({f"estate-{self.code}"})
        )


@dataclass(frozen=True)
class City:
    """`grounds` are those of each child, in the order of `market.children`; `rules` those of each area."""

    kindergartens: dict[str, Kindergarten]
    rules: tuple[Rules, ...]
    market: MarketFiles
    grounds: dict[str, frozenset[Ground]]
    wishes: dict[str, tuple[str, ...]]

    @property
    def sensitive(self) -> dict[str, bool]:
        return self.holding(*SENSITIVE)

    def holding(self, *grounds: Ground) -> dict[str, bool]:
        """Whether each child has one of the grounds."""
        return {child: bool(held & set(grounds)) for child, held in self.grounds.items()}


def area_code(area: int) -> str:
    return f"5101{area + 4:02d}"


def city(children: int, seed: int, *, need: float, care: float) -> City:
    random = np.random.default_rng(seed)
    rules = tuple(
        policy_file.read(
            policy_file.adapt_to_area(
                resources.files("enrollment.season").joinpath(f"policies/{name}.toml").read_text(), area_code(at), 2026
            )
        )
        for at, name in enumerate(POLICIES)
    )
    gardens = {one.code: one for one in _kindergartens(random, children)}
    rows, wishes, grounds = _families(random, children, gardens, rules, need, care)
    market = MarketFiles(
        season="2026",
        round="main",
        pair_rule="overhang",
        programmes=[
            ProgrammeRow(
                g.code, g.code, "lower", g.nature, area_code(g.area), g.places, rules[g.area].sibling_tier(g.nature)
            )
            for g in gardens.values()
        ],
        children=rows,
        wishes=wishes,
        pools=[
            PoolRow(g.code, code, at, places, f"{g.code}.{ground}", unclaimed)
            for g in gardens.values()
            for at, (code, places, ground, unclaimed) in enumerate(g.pools, start=1)
        ],
    )
    listed: dict[str, list[str]] = {}
    for wish in wishes:
        listed.setdefault(wish.child, []).append(wish.programme)
    return City(gardens, rules, market, grounds, {child: tuple(mine) for child, mine in listed.items()})


def _kindergartens(random: np.random.Generator, children: int) -> Iterator[Kindergarten]:
    wanted, number = children * 0.9, 0
    while wanted > 0:
        area = number % len(POLICIES)
        places = int(random.integers(8, 20) if random.random() < 0.15 else random.integers(20, 61))
        nature = "public" if random.random() < 0.6 else "inclusive"
        point = (float(random.random() + area % 2), float(random.random() + area // 2))
        yield Kindergarten(
            f"k{number:03d}", area, nature, places, point,
            float(random.normal(0, 0.9)) + 0.7 * (nature == "public"), _pools(random, places),
        )  # fmt: skip
        wanted, number = wanted - places, number + 1


def _pools(random: np.random.Generator, places: int) -> tuple[tuple[str, int, str, str], ...]:
    made = []
    if random.random() < 0.2:
        made.append(("need", int(random.integers(1, 5)), "special_need", "open" if random.random() < 0.7 else "locked"))
    if random.random() < 0.15:
        made.append(("care", int(random.integers(1, 5)), "policy_care", "open" if random.random() < 0.7 else "locked"))
    if random.random() < 0.2:
        made.append(("estate", int(random.integers(2, max(3, places // 3))), "estate_owner", "open"))
    return tuple(made)


def _families(random, children, gardens, rules, need, care):
    listed = list(gardens.values())
    points = np.array([g.point for g in listed])
    liked = np.array([g.liked for g in listed])
    places = np.array([g.places for g in listed], dtype=float)
    inside = np.array([g.area for g in listed])
    reserves_need = np.array([any(pool[2] == "special_need" for pool in g.pools) for g in listed])
    firsts = np.zeros(len(listed))
    rows: list[ChildRow] = []
    wishes: list[WishRow] = []
    grounds: dict[str, frozenset[Ground]] = {}
    while len(rows) < children:
        area = int(random.integers(len(POLICIES)))
        home = np.array([random.random() + area % 2, random.random() + area // 2])
        metres = np.hypot(*(points - home).T)
        facts, held = _household(random, area, rules[area])
        if random.random() < need:
            facts[Fact.SPECIAL_NEED] = True
        if random.random() < care:
            facts[Fact.POLICY_CARE] = str(random.choice(["martyr", "soldier", "police", "firefighter"]))
        pull = liked - 1.5 * np.log1p(metres / 0.05) + random.gumbel(0, 0.45, len(listed)) - 2.0 * (inside != area)
        pull += 0.8 * reserves_need * (Fact.SPECIAL_NEED in facts)  # the wish list alone already says a little
        count = int(random.choice(5, p=HOW_MANY)) + 1
        chosen = np.argsort(0.8 * np.log1p(firsts / places) - pull, kind="stable")[:count]
        firsts[chosen[0]] += 1
        first = listed[chosen[0]]
        for fact, share in ((Fact.SIBLING_AT, 0.12), (Fact.SIBLING_RIGHT_AT, 0.01), (Fact.STAFF_CHILD_AT, 0.004)):
            if random.random() < share:
                facts[fact] = first.code
        serving = {int(np.argmin(np.where(np.array([g.nature == "public" for g in listed]), metres, 9.0)))}
        if random.random() < 0.05:
            facts[Fact.HOME_PLACE] = {"street": "一", "estate": f"estate-{first.code}"}
        family = random.bytes(10).hex()
        twins = 2 if random.random() < 0.012 and len(rows) + 2 <= children else 1
        for _ in range(twins):
            child = random.bytes(10).hex()
            mine, groups = set(held), set()
            for rank, at in enumerate(chosen.tolist(), start=1):
                garden = listed[at]
                tier = rules[garden.area].tier(facts, garden.facts, at in serving).tier
                wishes.append(WishRow(child, rank, garden.code, tier))
                for _code, _places, ground, _unclaimed in garden.pools:
                    if rules[garden.area].holds(Ground(ground), facts, garden.facts, at in serving):
                        groups.add(f"{garden.code}.{ground}")
            mine |= {ground for ground, fact in _FACTS.items() if facts.get(fact)}
            grounds[child] = frozenset(mine)
            rows.append(ChildRow(child, family, f"u{family}" if twins > 1 else "", ";".join(sorted(groups)), "", ""))
    return rows, wishes, grounds


_FACTS = {
    Ground.SPECIAL_NEED: Fact.SPECIAL_NEED,
    Ground.POLICY_CARE: Fact.POLICY_CARE,
    Ground.ELDER_SIBLING: Fact.SIBLING_AT,
    Ground.SIBLING_RIGHT: Fact.SIBLING_RIGHT_AT,
    Ground.STAFF_CHILD: Fact.STAFF_CHILD_AT,
}


def _household(random: np.random.Generator, area: int, rules: Rules):
    kind = str(random.choice(["local", "collective", "elsewhere"], p=[0.6, 0.08, 0.32]))
    code = area_code(area)
    streets = sorted(rules.terms[Ground.LOCAL_HUKOU].streets) if Ground.LOCAL_HUKOU in rules.terms else []
    facts = {
        Fact.HOME_AREA: code, Fact.HOME_PLACE: {"street": "一"}, Fact.HOME_OWNED: bool(random.random() < 0.62),
        Fact.CHILDREN_IN_FAMILY: 3 if random.random() < 0.05 else 1,
    }  # fmt: skip
    if kind != "elsewhere":
        facts |= {Fact.HUKOU_AREA: code, Fact.HUKOU_KIND: kind, Fact.HUKOU_STREET: streets[0] if streets else "一"}
    elif random.random() < 0.7:
        facts[Fact.RESIDENCE_PERMIT_AREA] = code
    if random.random() < 0.3:
        facts[Fact.WORK_AREA] = code
    return facts, set()


def replayed(market: MarketFiles, placed: dict[str, str], seed: int) -> MarketFiles:
    """The market after a few families gave up: who confirmed wishes for its place alone, some still wait for a better one."""
    random = np.random.default_rng(seed)
    wishes: dict[str, list[WishRow]] = {}
    for wish in market.wishes:
        wishes.setdefault(wish.child, []).append(wish)
    children, kept = [], []
    by_unit: dict[str, float] = {}
    for row in market.children:
        luck = by_unit.setdefault(row.unit or row.child, float(random.random()))
        held = placed.get(row.child, "")
        if held and luck < 0.07:
            continue
        mine = wishes[row.child]
        if held and luck < 0.85:
            mine = [wish for wish in mine if wish.programme == held]
        children.append(replace_current(row, held))
        kept += mine
    return replace(market, round="waitlist", children=children, wishes=kept)


def replace_current(row: ChildRow, held: str) -> ChildRow:
    return row._replace(current=held)
