"""Worked cases with published or hand-checked answers."""

import re
from pathlib import Path

import numpy as np
import pytest

from allocation import checks, lottery
from allocation.market import Market
from allocation.sha256 import digests
from allocation.solve import solve
from tests.engine.cases import FOLDER, answer, case, market_of


def complete(expected, case):
    return {one["id"]: expected.get(one["id"]) for one in case["applicants"]}


@pytest.mark.parametrize("number", ["01", "02", "04", "05", "06", "09", "11"])
def test_plain_cases_from_the_literature(number):
    told = case(number)
    market, members = market_of(told)
    outcome = solve(market)
    assert answer(told, outcome, members) == complete(told["expected"]["applicant_optimal"], told)
    assert checks.check(market, outcome, solve).ok


@pytest.mark.parametrize("number", ["19", "20"])
@pytest.mark.parametrize("rule,word", [("overhang", "overhang"), ("close", "hold")])
def test_a_pair_at_the_last_place(number, rule, word):
    told = case(number)
    market, members = market_of(told, rule)
    outcome = solve(market)
    assert answer(told, outcome, members) == complete(told["expected"][word], told)
    seats = told["expected"]["overhang_seats"] if rule == "overhang" else dict.fromkeys(("p", "q", "p0", "p1"), 0)
    assert outcome.overhang.tolist() == [seats[p["id"]] for p in told["programmes"]]
    if rule == "close":
        kept = (market.places - outcome.cutoffs.filled).tolist()
        assert kept == [told["expected"]["held_back_seats"][p["id"]] for p in told["programmes"]]


@pytest.mark.parametrize("unclaimed,word", [("open", "soft"), ("locked", "hard")])
def test_soft_reserves_hand_places_on_and_hard_ones_leave_them_empty(unclaimed, word):
    told = case("15")
    market, members = market_of(told, unclaimed=unclaimed)
    placed = [name for name, where in answer(told, solve(market), members).items() if where]
    assert placed == told["expected"][word]


def sibling_market(told, with_elder):
    """Case 23: programmes by kindergarten and class, tier 1 by ticket, tier 0 for siblings."""
    names = [p["id"] for p in told["programmes"]]
    order = {p["id"]: p["priority"] for p in told["programmes"]}
    ids = [one["id"] for one in told["applicants"]]
    offsets, programme, tier = [0], [], []
    for one in told["applicants"]:
        programme += [names.index(p) for p in one["prefs"]]
        tier += [1 + order[p].index(one["id"]) for p in one["prefs"]]
        offsets.append(len(programme))
    elder = [ids.index(one["sibling"]) if with_elder and "sibling" in one else -1 for one in told["applicants"]]
    return Market.from_arrays(
        offsets, programme, tier, range(1, len(ids) + 1), [p["capacity"] for p in told["programmes"]],
        elder=elder, level=[1 + int(n[-1]) for n in names], kindergarten=[int(n[1]) for n in names],
        sibling_tier=[0] * len(names),
    )  # fmt: skip


@pytest.mark.parametrize("with_elder,word", [(False, "without_dynamic"), (True, "with_dynamic_own_order")])
def test_a_younger_child_rises_where_the_elder_was_placed(with_elder, word):
    told = case("23")
    market = sibling_market(told, with_elder)
    outcome = solve(market)
    assert answer(told, outcome, [[child] for child in range(market.children)]) == told["expected"][word]
    assert checks.check(market, outcome, solve).ok
    if with_elder:
        assert outcome.unit_tier.tolist()[3:5] == [2, 0]


def test_who_gives_up_moves_the_chain_and_hurts_nobody():
    told = case("25")
    market, members = market_of(told)
    before = solve(market)
    assert answer(told, before, members) == told["expected"]["before"]
    staying = [one for one in told["applicants"] if one["id"] not in told["withdrawn"]]
    replay, members = market_of({**told, "applicants": staying})
    held = [before.programme[c] for c in range(market.children) if told["applicants"][c]["id"] not in told["withdrawn"]]
    replay = Market.from_arrays(
        replay.offsets, replay.programme, replay.tier, replay.ticket, replay.places, current=held
    )
    after = solve(replay)
    assert answer({**told, "applicants": staying}, after, members) == told["expected"]["after"]
    assert checks.check(replay, after, solve).ok


def test_the_lottery_vector():
    told = case("24")
    seed = bytes.fromhex(told["seed_sha256"])
    tickets = lottery.draw(seed, [told["families"].get(i, i) for i in told["ids"]], told["ids"])
    order = [code for _, code in sorted(zip(tickets.tolist(), told["ids"], strict=True))]
    assert order == told["expected"]["order_best_first"]
    families = [told["families"].get(code, code).encode() for code in told["ids"]]
    starts = np.cumsum([0, *map(len, families)])
    ours = digests(seed, np.frombuffer(b"".join(families), dtype=np.uint8), starts)
    assert dict(zip(told["ids"], (row.tobytes().hex() for row in ours), strict=True)) == told["expected"]["sha256"]


def test_every_case_is_asked_for_by_its_number():
    files = {path.name[:2] for path in FOLDER.glob("*.json")}
    assert files == set(re.findall(r'"(\d\d)"', Path(__file__).read_text("utf-8")))
