"""Nobody ends without a place or a named officer: vacancies nearby are proposed, and the family answers."""

from decimal import Decimal

import numpy as np
import pytest

from allocation.coverage import Coverage
from enrollment.draw import central_placement, unplaced
from enrollment.ground.errors import Refused
from enrollment.places import distances
from enrollment.season import policy_approval

HOME = {"home_longitude": 104.10, "home_latitude": 30.60}


@pytest.fixture
def left_over(town):
    popular = town.kindergarten("金苹果", places=1, longitude=104.10, latitude=30.60)
    town.near = town.kindergarten("近处普惠", nature="inclusive", places=1, longitude=104.11, latitude=30.60)
    town.public = town.kindergarten("公办三里外", places=1, longitude=104.12, latitude=30.60)
    town.far = town.kindergarten("很远的公办", places=5, longitude=104.40, latitude=30.60)
    town.ana = town.child("安娜", wishes=[popular], **HOME)
    town.ben = town.child("本本", wishes=[popular], **HOME)
    town.cui = town.child("翠翠", wishes=[popular], **HOME)
    town.drawn(town.ana, town.ben, town.cui)
    return town


def test_the_nearest_vacancies_are_proposed_public_ones_first_within_the_tolerance(left_over):
    town, by = left_over, left_over.city_pair()[0]
    assert central_placement.propose(town.session, 2026, by=by, now=town.now) == 2
    proposed = {each.registration_code: each for each in central_placement.waiting(town.session, 2026)}
    assert set(proposed) == {town.ben.registration_code, town.cui.registration_code}
    assert {each.kindergarten for each in proposed.values()} == {town.near, town.public}
    assert sorted(each.metres for each in proposed.values()) == [957, 1914]
    assert town.offer_for(town.ben) is None, "a proposal is not an offer"


@pytest.mark.parametrize("tolerance,nearest", [(500, "近处普惠"), (1500, "公办三里外")])
def test_the_policy_of_the_childs_own_area_says_how_much_farther_a_public_place_may_be(town, tolerance, nearest):
    """957 m to the inclusive one, 1,914 m to the public one; both kindergartens are of another area than the child."""
    elsewhere = {"area": "510105", "latitude": 30.60}
    popular = town.kindergarten("金苹果", places=1, longitude=104.10, **elsewhere)
    town.kindergarten("近处普惠", nature="inclusive", places=1, longitude=104.11, **elsewhere)
    town.kindergarten("公办三里外", places=1, longitude=104.12, **elsewhere)
    for area, metres in (("510104", tolerance), ("510105", 20_000 if tolerance == 500 else 0)):
        text = policy_approval.template("whole_district", area, 2026)
        town.policy(area, text.replace("tolerance = 3000", f"tolerance = {metres}"))
    ana, ben = (town.child(name, wishes=[popular], **HOME) for name in ("安娜", "本本"))
    town.drawn(ana, ben)
    by = town.city_pair()[0]
    assert central_placement.propose(town.session, 2026, by=by, now=town.now) == 1
    [proposed] = central_placement.waiting(town.session, 2026)
    assert proposed.kindergarten.name == nearest


def test_the_effect_on_both_shares_counts_the_proposals_that_wait(left_over):
    town, by = left_over, left_over.city_pair()[0]
    before = Coverage(1000, 500, 300)
    assert central_placement.effect(town.session, 2026, before) == before
    central_placement.propose(town.session, 2026, by=by, now=town.now)
    assert central_placement.effect(town.session, 2026, before) == Coverage(1002, 501, 301)
    central_placement.send(town.session, 2026, by=by, now=town.now)
    assert central_placement.effect(town.session, 2026, before) == before, "sent ones are counted as offers"


def test_distances_to_many_places_are_those_to_each(town):
    sites = [(104.11, 30.60), (104.40, 30.60), (104.10, 30.60), (103.0, 31.0)]
    each = [distances.metres(Decimal("104.1"), Decimal("30.6"), *map(Decimal, map(str, site))) for site in sites]
    assert distances.metres_to(Decimal("104.1"), Decimal("30.6"), np.array(sites)).tolist() == each


def test_proposals_become_offers_that_the_family_answers(left_over):
    town, by = left_over, left_over.city_pair()[0]
    central_placement.propose(town.session, 2026, by=by, now=town.now)
    assert central_placement.send(town.session, 2026, by=by, now=town.now) == 2
    assert {town.place_of(town.ben), town.place_of(town.cui)} == {town.near, town.public}
    assert central_placement.counts(town.session, 2026) == (0, 2)
    assert unplaced.listing(town.session, 2026, by=by).total == 0
    town.confirm(town.ben)
    assert town.offer_for(town.ben).state == "confirmed"
    with pytest.raises(Refused, match="nobody_to_propose"):
        central_placement.propose(town.session, 2026, by=by, now=town.now)


def test_who_gave_a_place_up_is_not_moved_about(left_over):
    town, by = left_over, left_over.city_pair()[0]
    town.decline(town.ana)
    central_placement.propose(town.session, 2026, by=by, now=town.now)
    codes = {each.registration_code for each in central_placement.waiting(town.session, 2026)}
    assert town.ana.registration_code not in codes


def test_it_waits_until_no_round_is_going(left_over):
    town, by = left_over, left_over.city_pair()[0]
    town.silence()
    town.round(kind="supplementary")
    town.open_registration()
    with pytest.raises(Refused, match="round_still_going"):
        central_placement.propose(town.session, 2026, by=by, now=town.now)
    with pytest.raises(Refused, match="only_the_city"):
        central_placement.propose(town.session, 2026, by=town.area_official(), now=town.now)
