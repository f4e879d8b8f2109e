"""Which rules always have an outcome, asked of a constraint solver."""

import pytest

from allocation.solve import solve
from tests.engine.cases import case, market_of
from tests.engine.definitions import Rule
from tests.engine.small_markets import tiny_market
from tests.engine.stable_by_cpsat import CLOSE, OVERHANG, STRICT, StableOutcomes


def granted_tries(rule: Rule, outcome) -> tuple[int, ...]:
    """The solver's outcome as the index of each unit's granted try (the number of its tries for none)."""
    return tuple(
        next(
            (k for k, (rank, q, *_) in enumerate(tries) if (rank, q) == (outcome.rank[c], outcome.pool[c])), len(tries)
        )
        for (c, *_), tries in zip(rule.units, rule.tries, strict=True)
    )


def named(told, market, outcome) -> dict:
    """Applicant → programme name or ``None``, from each unit's granted try (no pools)."""
    programmes, rule = [p["id"] for p in told["programmes"]], Rule(market)
    return {
        one["id"]: programmes[tries[at][1]] if at < len(tries) else None
        for one, tries, at in zip(told["applicants"], rule.tries, outcome, strict=True)
    }


@pytest.mark.parametrize("number", ["01", "02", "04", "09", "11"])
def test_the_stable_outcomes_of_a_published_case_are_those_it_names(number):
    """The best for all applicants, the best for all programmes, and how many there are, where the case says so."""
    told = case(number)
    market, _ = market_of(told)
    stable = StableOutcomes(market, OVERHANG).all()
    for word, choose in (("applicant_optimal", min), ("programme_optimal", max)):
        extreme = tuple(choose(column) for column in zip(*stable, strict=True))
        assert extreme in stable
        if word in told["expected"]:
            assert named(told, market, extreme) == dict.fromkeys(named(told, market, extreme)) | told["expected"][word]
    assert len(stable) == told["expected"].get("number_of_stable_matchings", len(stable))


@pytest.mark.parametrize("number", ["19", "20"])
def test_the_strict_rule_has_the_outcomes_that_the_case_says_and_one_case_has_none(number):
    told = case(number)
    market, members = market_of(told)
    assert [m[0] for m in members] == [unit[0] for unit in Rule(market).units]
    stable = [named(told, market, outcome) for outcome in StableOutcomes(market, STRICT).all()]
    assert stable == told["expected"]["strict_stable_matchings"]


@pytest.mark.parametrize("pair_rule", [OVERHANG, CLOSE])
def test_the_constraints_say_what_the_definitions_say(pair_rule):
    """On markets small enough both list the same stable outcomes."""
    several = 0
    for number in range(40):
        market = tiny_market(number, pair_rule=pair_rule, contrary=number % 2 == 1)
        stable = StableOutcomes(market, pair_rule).all()
        assert stable == sorted(Rule(market).stable()), number
        several += len(stable) > 1
    assert several >= 2


@pytest.mark.parametrize("pools", [False, True])
@pytest.mark.parametrize("pair_rule", [OVERHANG, CLOSE])
def test_with_bound_units_there_is_always_one_outcome_that_is_best_for_every_unit(pair_rule, pools):
    """Ours is stable, and in no stable outcome does any unit get what it likes better: so it is the only best one."""
    refused = 0
    for number in range(12):
        market = tiny_market(number, children=30, programmes=6, pair_rule=pair_rule, pools=pools, contrary=True)
        asked = StableOutcomes(market, pair_rule)
        ours = granted_tries(asked.rule, solve(market))
        assert asked.has(ours), number
        assert not asked.has_one_better_for_somebody_than(ours), number
        refused += sum(ours)
    assert refused > 100


def test_the_strict_rule_has_none_on_some_small_market_too():
    """Of contrary ones; the rules that are offered have an outcome on each of their markets (above)."""
    without = [
        number
        for number in range(120)
        if not StableOutcomes(tiny_market(number, children=8, programmes=3, pools=False, contrary=True), STRICT).all()
    ]
    assert 0 < len(without) < 60
