"""The same answers as two published programs, for up to 2,000 and of up to 8,000 children."""

import importlib.machinery
import sys
import types

import numpy as np
import pytest
from matching.games import HospitalResident

from allocation.benchmark.synthetic import synthetic_market
from allocation.market import Market
from allocation.solve import solve
from tests.engine.small_markets import tiny_market


def told_as_preferences(market: Market):
    """Residents' and hospitals' preference lists and capacities; programmes without applicants or places left out."""
    lists = {c: market.programme[market.offsets[c] : market.offsets[c + 1]].tolist() for c in range(market.children)}
    asked: dict[int, list] = {}
    for child, wishes in lists.items():
        for step, programme in enumerate(wishes):
            key = (market.tier[market.offsets[child] + step], market.ticket[child], child)
            asked.setdefault(programme, []).append(key)
    open_ = [p for p in asked if market.places[p] > 0]
    hospitals = {p: [child for _, _, child in sorted(asked[p])] for p in open_}
    residents = {c: [p for p in wishes if p in hospitals] for c, wishes in lists.items()}
    return {c: w for c, w in residents.items() if w}, hospitals, {p: int(market.places[p]) for p in hospitals}


def by_matching(market: Market) -> np.ndarray:
    residents, hospitals, capacities = told_as_preferences(market)
    where = np.full(market.children, -1)
    if residents:
        game = HospitalResident.create_from_dictionaries(residents, hospitals, capacities)
        for hospital, matched in game.solve(optimal="resident").items():
            where[[resident.name for resident in matched]] = hospital.name
    return where


def by_algmatch(market: Market) -> np.ndarray:
    residents, hospitals, capacities = told_as_preferences(market)
    told = {
        "residents": residents,
        "hospitals": {p: {"capacity": capacities[p], "preferences": hospitals[p]} for p in hospitals},
    }
    where = np.full(market.children, -1)
    matching = hospital_residents()(dictionary=told).get_stable_matching()
    for resident, hospital in matching["resident_sided"].items():
        where[int(resident[1:])] = int(hospital[1:]) if hospital else -1
    return where


def hospital_residents():
    """algmatch's problem class, past a package start that wants a commercial solver for another problem."""
    if "algmatch" not in sys.modules:
        package = types.ModuleType("algmatch")
        package.__path__ = list(importlib.machinery.PathFinder.find_spec("algmatch").submodule_search_locations)
        sys.modules["algmatch"] = package
    from algmatch.hospitalResidentsProblem import HospitalResidentsProblem

    return HospitalResidentsProblem


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("other", [by_matching, by_algmatch])
def test_tiny_markets(other):
    for number in range(60):
        market = tiny_market(number, children=9, programmes=4, units=False, pools=False, contrary=number % 2 == 1)
        assert solve(market).programme.tolist() == other(market).tolist()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "other,children,seed", [(by_matching, 2_000, 2), pytest.param(by_algmatch, 8_000, 4, marks=pytest.mark.long)]
)
def test_markets_of_a_town(other, children, seed):
    market = synthetic_market(children, seed)
    outcome = solve(market)
    assert 0 < outcome.placed < children
    assert (outcome.programme == other(market)).all()
