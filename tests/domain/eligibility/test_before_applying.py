"""What a family is told before it has an account is what it is told when it applies."""

import pytest

from enrollment.eligibility import eligibility_check, households, required_documents
from enrollment.eligibility.wish_candidates import Finder
from enrollment.ground.errors import Refused
from enrollment.people.household_rows import Household
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Ground
from tests.support.prepared import prepared

HERE, THERE = "510104", "510107"


@prepared
def places(town):
    town.policy(HERE, family="whole_district")
    town.policy(THERE, family="any_inclusive")
    ours = town.kindergarten("锦官新城幼儿园", places=50)
    theirs = town.kindergarten("小蜜蜂幼儿园", nature="inclusive", area=THERE, places=30)
    return ours, theirs


def tiers_in(found: eligibility_check.Foreseen) -> dict[str, int]:
    return {
        there.kindergarten.name: tiered.tier
        for area in found.areas
        for tiered, listed in area.tiers
        for there in listed
    }


CASES = [
    ({"hukou_kind": "local", "hukou_area": HERE, "home_area": HERE}, {}),
    ({"hukou_kind": "elsewhere", "home_area": THERE, "residence_permit_area": THERE, "work_area": THERE}, {}),
    ({"hukou_kind": "collective", "hukou_area": THERE, "home_area": HERE, "home_owned": True}, {Ground.MULTI_CHILD: 3}),
    ({"hukou_kind": "elsewhere", "home_area": HERE}, {Ground.POLICY_CARE: "soldier", Ground.SPECIAL_NEED: True}),
]


@pytest.mark.parametrize(("said", "asked"), CASES)
def test_it_foresees_the_tiers_and_papers_of_the_real_application(town, places, said, asked):
    town.round()
    found = eligibility_check.foresee(town.session, 2026, "lower", Household(**said), asked)

    family = town.family("安")
    family.household = dict(said)
    child = town.child("安安", family=family, grounds=asked)
    programmes = [town.programme_of(each) for each in places]
    shown = Finder(town.session, child, town.the_round.id).seen(programmes)
    real = {each.kindergarten.name: each.tiered.tier for each in shown}
    foreseen = tiers_in(found)
    assert foreseen
    assert foreseen == {name: real[name] for name in foreseen}
    areas = sorted(required_documents.areas_of(town.session, child))
    if areas == sorted(area.area for area in found.areas):
        needed = required_documents.needed(town.session, child)
        assert [(paper.document, tuple(paper.grounds)) for paper in needed] == list(found.papers)


def test_nothing_is_written(town, places):
    eligibility_check.foresee(town.session, 2026, "lower", Household(home_area=HERE, hukou_kind="elsewhere"), {})
    assert not town.session.new
    assert households.Household not in {type(each) for each in town.session.identity_map.values()}


def test_papers_follow_from_the_grounds_alone(town, places):
    alone = eligibility_check.foresee(
        town.session, 2026, "lower", Household(home_area=HERE, hukou_kind="elsewhere"), {}
    )
    cared = eligibility_check.foresee(
        town.session, 2026, "lower", Household(home_area=HERE, hukou_kind="elsewhere"), {Ground.POLICY_CARE: "martyr"}
    )
    assert Document.POLICY_CARE_PROOF not in dict(alone.papers)
    assert dict(cared.papers)[Document.POLICY_CARE_PROOF] == (Ground.POLICY_CARE,)


def test_an_area_without_signed_rules_says_so_and_gives_no_tier(town, places):
    town.area("510105")
    found = eligibility_check.foresee(
        town.session, 2026, "lower", Household(home_area="510105", hukou_kind="elsewhere"), {}
    )
    assert [(area.area, area.signed, area.tiers) for area in found.areas] == [("510105", False, ())]


def test_the_best_tier_stands_first_and_other_levels_are_left_out(town, places):
    town.kindergarten("大班幼儿园", area=THERE, level="upper", places=10)
    town.kindergarten("公办二园", area=THERE, places=10)
    found = eligibility_check.foresee(
        town.session, 2026, "lower", Household(hukou_kind="local", hukou_area=THERE, home_area=THERE), {}
    )
    (area,) = found.areas
    tiers = [tiered.tier for tiered, _ in area.tiers]
    assert tiers == sorted(tiers)
    assert "大班幼儿园" not in tiers_in(found)


def test_a_kindergarten_that_is_unknown_is_refused_beside_its_ground(town, places):
    with pytest.raises(Refused) as refused:
        eligibility_check.foresee(
            town.session,
            2026,
            "lower",
            Household(home_area=HERE, hukou_kind="elsewhere"),
            {Ground.ELDER_SIBLING: "nowhere"},
        )
    assert (refused.value.code, refused.value.field) == ("kindergarten_unknown", "elder_sibling")
