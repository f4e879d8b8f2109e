"""From facts to tiers: in bulk and for one page the same, quickly for a city, never from anything but the frozen policy."""

import time

import pytest
from sqlalchemy import update

from enrollment.eligibility.tiers import TierTable, claimed_facts
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.service_areas import ServiceArea, ServiceAreaIndex
from enrollment.season import policy_approval
from enrollment.season.facts import Fact, Ground
from enrollment.season.policy_rows import Policy
from tests.support.prepared import prepared
from tests.support.tiers import tier_at


@prepared
def city(town):
    """A public kindergarten that serves a street and an estate, its site, and an inclusive one, under rules of service areas."""
    town.main = town.kindergarten("锦官新城幼儿园", places=10)
    town.site = town.kindergarten("锦官新城幼儿园东园", places=10)
    town.site.parent_id = town.main.id
    town.other = town.kindergarten("小蜜蜂幼儿园", nature="inclusive", places=10)
    for kind, name in (("street", "三圣街道"), ("estate", "锦城苑")):
        town.session.add(ServiceArea(kindergarten_id=town.main.id, kind=kind, name=name))
    town.policy("510104", family="service_area")
    town.open_registration()
    town.session.flush()
    return town


FAMILIES = [
    {},
    {Fact.HUKOU_AREA: "510104", Fact.HUKOU_KIND: "local"},
    {Fact.HOME_AREA: "510104", Fact.HOME_PLACE: {"street": "三圣街道"}},
    {Fact.HOME_AREA: "510104", Fact.HOME_PLACE: {"estate": "锦城苑", "point": [104.1, 30.6]}, Fact.HOME_OWNED: True},
    {
        Fact.HUKOU_AREA: "510104",
        Fact.HUKOU_KIND: "local",
        Fact.HOME_AREA: "510104",
        Fact.HOME_PLACE: {"street": "三圣街道"},
    },
    {Fact.RESIDENCE_PERMIT_AREA: "510104", Fact.WORK_AREA: "510105"},
    {Fact.POLICY_CARE: "martyr"},
    {Fact.CHILDREN_IN_FAMILY: 3, Fact.HUKOU_AREA: "510105", Fact.HUKOU_KIND: "collective"},
]


def table_of(town) -> TierTable:
    return TierTable(town.session, town.the_round, ServiceAreaIndex(town.session, town.the_round.year))


def tier(table: TierTable, facts, *programmes):
    """The tier at the first of these programmes."""
    return table.priorities(facts, table.entries(programmes))[0].tiered


def test_one_by_one_and_in_bulk_give_the_same(city):
    table = table_of(city)
    siblings = [{Fact.SIBLING_AT: each.code} for each in (city.main, city.site, city.other)]
    seen = set()
    for facts in FAMILIES + siblings:
        for kindergarten in (city.main, city.site, city.other):
            in_bulk = tier(table, facts, city.programme_of(kindergarten))
            assert tier_at(city.session, city.the_round, facts, kindergarten) == in_bulk
            seen.add(in_bulk.ground)
    assert {Ground.SERVICE_AREA, Ground.ELDER_SIBLING, None} <= seen


def test_what_is_near_is_not_confused_with_what_is_far(city):
    """The memory keeps families apart who differ only in whether the kindergarten serves them."""
    table = table_of(city)
    near, far = (
        {
            Fact.HUKOU_AREA: "510104",
            Fact.HUKOU_KIND: "local",
            Fact.HOME_AREA: "510104",
            Fact.HOME_PLACE: {"street": street},
        }
        for street in ("三圣街道", "春熙路街道")
    )
    tiers = [tier(table, facts, city.programme_of(city.main)).tier for facts in (far, near, far, near)]
    assert tiers[0] == tiers[2] > tiers[1] == tiers[3]


def test_only_the_frozen_policy_counts(city):
    table = table_of(city)
    facts = {Fact.HUKOU_AREA: "510104", Fact.HUKOU_KIND: "local"}
    before = tier(table, facts, city.programme_of(city.main))
    text = policy_approval.template("whole_district", "510104", 2026)
    newer = city.policy("510104", text=text)
    assert policy_approval.policy_in_force(city.session, 2026, "510104").id == newer.id
    fresh = table_of(city)
    assert tier(fresh, facts, city.programme_of(city.main)) == before


def test_a_text_that_is_not_the_frozen_one_is_refused(city):
    city.session.execute(update(Policy).where(Policy.area_code == "510104").values(digest="0" * 64))
    with pytest.raises(Refused, match="policy_is_not_the_frozen_one"):
        tier(table_of(city), {}, city.programme_of(city.main))


def test_an_area_without_a_policy_is_refused(city):
    elsewhere = city.kindergarten("成华幼儿园", area="510108")
    with pytest.raises(Refused, match="area_without_policy"):
        table_of(city).entry(elsewhere)


def test_what_the_household_says_beside_its_claims_is_not_claimed(city):
    """A family that rents and claims nothing of it is asked nothing about it (F10)."""
    ana = city.child("安娜", wishes=[city.main], hukou_kind="elsewhere", hukou_area="510105")
    claimed = claimed_facts(city.session, ana.id)
    assert Fact.HUKOU_AREA not in claimed, "a hukou elsewhere is no ground"
    assert Fact.HOME_OWNED not in claimed
    assert claimed[Fact.HOME_PLACE] == {"street": "三圣街道"}
    assert claimed[Fact.BORN] == ana.child.born.isoformat()


def test_a_hundred_thousand_wishes_take_seconds(city):
    """The share of one core that a city's 120,000 children would need stays far below a minute."""
    table = table_of(city)
    entries = table.entries(city.programme_of(each) for each in (city.main, city.site, city.other))
    homes = [{"street": f"街道{n}", "point": [104 + n / 1000, 30.6]} for n in range(100)]
    families = [facts | {Fact.HOME_PLACE: home} for facts in FAMILIES for home in homes]
    began = time.process_time()
    for _ in range(12):
        for facts in families:
            table.priorities(facts, entries)
    each = (time.process_time() - began) / (12 * len(families))
    assert each * 120_000 < 60
    assert city.session.get(Kindergarten, city.main.id) is not None
