"""The independent check finds each of many wrong solvers, on every market where the solver gives a wrong outcome.

Each wrong solver misreads the rule or changes an outcome. Its cut-offs, overhang and tiers are consistent with its
placements, so that a check can find only the placements.
"""

from dataclasses import replace

import numpy as np
import pytest

from allocation import checks
from allocation.solve import solve
from tests.engine.definitions import Rule
from tests.engine.market_changes import again, unit_of
from tests.engine.outcome_builder import told
from tests.engine.small_markets import tiny_market

WITHOUT_POOLS = {"pools": False}
HOLDING = {"pools": False, "units": False, "current": True}
FAMILIES = {"siblings": True, "children": 14, "programmes": 6, "contrary": False}
BEST = "best_for_each_family"
ENVY, WASTE = "no_justified_envy", "no_empty_place_wanted"


def misread(**how):
    """The solver reads these columns of the market otherwise; each is a function of the market."""
    return lambda market: told_by(market, solve(again(market, **{name: read(market) for name, read in how.items()})))


def told_by(market, outcome):
    return told(market, outcome.rank, outcome.pool)


def steps(market):
    """The place of each wish in its list, from 0."""
    return np.arange(len(market.programme)) - np.repeat(market.offsets[:-1], np.diff(market.offsets))


def by_unit(market, column, choose):
    """For each child what its unit would have if ``choose`` were the rule (``min`` or ``max``)."""
    return np.array([choose(column[member] for member in unit_of(market, c)) for c in range(market.children)])


def tiers_by_unit(choose):
    def read(market):
        tier = market.tier.copy()
        for child in range(market.children):
            for w, *same in zip(
                *(range(*market.offsets[m : m + 2]) for m in [child, *unit_of(market, child)]), strict=True
            ):
                tier[w] = choose(market.tier[same])
        return tier

    return read


def worst_ticket(market):
    """Tickets in which each unit stands at its worst member's."""
    ticket = by_unit(market, market.ticket, max)
    return np.argsort(np.lexsort((np.arange(market.children), ticket)))


def pools(change):
    """Listed pools with something changed in each."""
    return lambda market: [change(pool) if pool.name != "general" else pool for pool in market.pools.listed]


def pool_of_the_same_name(market, wrong):
    """The pools of another table told as those of the market."""
    names = {(int(p), market.pools.name(q)): q for q, p in enumerate(market.pools.programme)}
    return [
        names[int(wrong.market.pools.programme[q]), wrong.market.pools.name(q)] if q >= 0 else -1 for q in wrong.pool
    ]


def reserved_places_last(market):
    other = again(market, pools=pools(lambda pool: pool._replace(precedence=20 - pool.precedence))(market))
    wrong = solve(other)
    return told(market, wrong.rank, pool_of_the_same_name(market, wrong))


def only_the_first_pool(market):
    """Who is refused by a pool asks the next kindergarten, not the next pool."""
    table = market.pools
    wrong = solve(again(market, places=table.places[table.start[:-1]], pools=()))
    return told(market, wrong.rank, [table.start[p] if p >= 0 else -1 for p in wrong.programme])


def twins_count_once(market):
    """Only the first of a unit takes a place, the others follow."""
    heads = [unit_of(market, c)[0] for c in range(market.children)]
    offsets = np.concatenate(([0], np.cumsum([
        len_ if head == c else 0 for c, (head, len_) in enumerate(zip(heads, np.diff(market.offsets), strict=True))
    ])))  # fmt: skip
    rows = [w for c, head in enumerate(heads) if head == c for w in range(*market.offsets[c : c + 2])]
    ticket = by_unit(market, market.ticket, min)
    wrong = solve(again(
        market, offsets=offsets, programme=market.programme[rows], tier=tiers_by_unit(max)(market)[rows],
        ticket=np.argsort(np.lexsort((np.arange(market.children), ticket))), unit=None,
    ))  # fmt: skip
    return told(market, wrong.rank[heads], wrong.pool[heads])


def lists_read_from_the_end(market):
    back = np.concatenate([np.arange(*market.offsets[c : c + 2])[::-1] for c in range(market.children)]).astype(int)
    wrong = solve(again(market, programme=market.programme[back], tier=market.tier[back]))
    length = np.diff(market.offsets)
    return told(market, np.where(wrong.rank > 0, length + 1 - wrong.rank, 0), wrong.pool)


def wishes_first(market):
    """Immediate acceptance ("Boston"): a first wish comes before every second one."""
    wrong = solve(again(market, tier=np.minimum(5 * steps(market) + market.tier // 3, 15)))
    return told_by(market, wrong)


def programmes_propose(market):
    """The stable outcome that is worst for the families: everything is right but whose best it is."""
    rule = Rule(market)
    worst = tuple(max(column) for column in zip(*rule.stable(), strict=True))
    assert rule.is_stable(worst)
    return told(market, *zip(*rule.placements(worst), strict=True))


def halted(market):
    """The work stops when everybody has asked once: whoever was refused is left out."""
    outcome = solve(market)
    return told(market, np.where(outcome.rank == 1, 1, 0), np.where(outcome.rank == 1, outcome.pool, -1))


def swapped(choose):
    """Two units of one size change places: ``choose`` says who, of those with a place and those without."""

    def wrong(market):
        outcome = solve(market)
        rank, pool = outcome.rank.copy(), outcome.pool.copy()
        for a in range(market.children):
            for b in range(market.children):
                ours, theirs = unit_of(market, a), unit_of(market, b)
                if len(ours) == len(theirs) and choose(market, outcome, a, b):
                    step = list(market.programme[slice(*market.offsets[b : b + 2])]).index(outcome.programme[a]) + 1
                    rank[theirs], pool[theirs], rank[ours], pool[ours] = step, pool[ours], 0, -1
                    return told(market, rank, pool)
        return outcome

    return wrong


def wants(market, outcome, a, b):
    """Child b has no place and would like the place of a."""
    return (
        outcome.rank[a] > 0 == outcome.rank[b]
        and outcome.programme[a] in market.programme[slice(*market.offsets[b : b + 2])]
    )


def one_forgotten(market):
    """One child's place is lost on the way."""
    outcome = solve(market)
    rank, pool = outcome.rank.copy(), outcome.pool.copy()
    gone = unit_of(market, int(np.argmax(rank)))
    rank[gone], pool[gone] = 0, -1
    return told(market, rank, pool)


def rows_first(market):
    return told_by(market, solve(market.with_tickets(np.arange(1, market.children + 1))))


def each_on_its_own(market):
    return told_by(market, solve(again(market, unit=None)))


def other_rule(market):
    return "close" if market.pair_rule == "overhang" else "overhang"


def siblings(**how):
    """As :func:`misread`, in a market with siblings; tiers and lines are those that the wrong solver believed in."""
    return lambda market: replace(
        solve(again(market, **{name: read(market) for name, read in how.items()})), market=market
    )


# name → the wrong solver, a check that must be among those that find it somewhere, and in what markets
WRONG = {
    "the highest ticket first": (misread(ticket=lambda m: m.ticket.max() - m.ticket), ENVY),
    "the tickets of another draw": (misread(ticket=lambda m: np.roll(m.ticket, 3)), ENVY),
    "who stands first in the file comes first": (rows_first, "same_when_shuffled"),
    "priorities are not looked at": (misread(tier=lambda m: m.tier * 0), ENVY),
    "the worst priority first": (misread(tier=lambda m: 15 - m.tier), ENVY),
    "priorities above three are all the same": (misread(tier=lambda m: np.minimum(m.tier, 3)), ENVY),
    "a first wish comes before every second one": (wishes_first, ENVY),
    "lists are read from the end": (lists_read_from_the_end, WASTE),
    "only first wishes are looked at": (halted, WASTE),
    "one place too many": (misread(places=lambda m: m.places + 1, pools=lambda m: ()), "capacities", WITHOUT_POOLS),
    "one place too few": (
        misread(places=lambda m: np.maximum(m.places - 1, 0), pools=lambda m: ()),
        WASTE,
        WITHOUT_POOLS,
    ),
    "the other rule for pairs": (misread(pair_rule=other_rule), "capacities"),
    "twins are placed one by one": (each_on_its_own, "units_together"),
    "twins take one place": (twins_count_once, "capacities"),
    "the worst ticket of twins counts": (misread(ticket=worst_ticket), ENVY),
    "the best priority of twins counts": (misread(tier=tiers_by_unit(min)), ENVY),
    "reserved places are tried last": (reserved_places_last, ENVY),
    "reserved places are for everybody": (misread(pools=pools(lambda pool: pool._replace(groups=()))), ENVY),
    "reserved places are for nobody": (misread(pools=pools(lambda pool: pool._replace(groups=(9,)))), WASTE),
    "locked places are open": (misread(pools=pools(lambda pool: pool._replace(unclaimed="open"))), "eligibility"),
    "open places are locked": (misread(pools=pools(lambda pool: pool._replace(unclaimed="locked"))), WASTE),
    "a refused child goes to the next kindergarten at once": (only_the_first_pool, WASTE),
    "programmes ask the families": (programmes_propose, BEST),
    "nobody's place is guaranteed": (misread(current=lambda m: None), ENVY, HOLDING),
    "elders are not looked at": (siblings(elder=lambda m: None), "tiers", FAMILIES),
    "an elder counts in every kindergarten": (siblings(kindergarten=lambda m: m.kindergarten * 0), "tiers", FAMILIES),
    "every kindergarten gives siblings the best priority": (
        siblings(sibling_tier=lambda m: m.sibling_tier * 0),
        "tiers",
        FAMILIES,
    ),
    "a place goes to one behind": (swapped(wants), ENVY),
    "a place is lost on the way": (one_forgotten, WASTE),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_planted_bug_is_found_wherever_it_does_anything(name):
    wrong_solver, check, *shape = WRONG[name]
    found, harmless = set(), 0
    for number in range(30):
        rule, contrary = ("overhang", "close")[number % 2], number % 3 > 0
        given = {"children": 7, "pair_rule": rule, "contrary": contrary, **(shape[0] if shape else {})}
        market = tiny_market(number, **given)
        right, wrong = solve(market), wrong_solver(market)
        if all((getattr(right, name) == getattr(wrong, name)).all() for name in ("rank", "pool", "unit_tier")):
            harmless += 1
            continue
        report = checks.check(market, wrong, wrong_solver)
        assert not report.ok, (number, market)
        found |= {each for each, lines in report.findings.items() if lines}
    assert check in found
    assert harmless < 30


def test_what_is_told_without_a_bug_is_what_the_solver_tells():
    for number in range(60):
        market = tiny_market(number, children=7, contrary=number % 3 > 0, pair_rule=("overhang", "close")[number % 2])
        outcome = solve(market)
        again_told = told_by(market, outcome)
        for name in ("programme", "overhang", "unit_tier"):
            assert getattr(again_told, name).tolist() == getattr(outcome, name).tolist(), (number, name)
        for ours, theirs in zip(vars(again_told.cutoffs).values(), vars(outcome.cutoffs).values(), strict=True):
            assert ours.tolist() == theirs.tolist(), number
