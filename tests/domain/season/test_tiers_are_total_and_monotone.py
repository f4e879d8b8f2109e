"""Every family has a tier, and an additional verified fact never worsens it (property tests)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from enrollment.season import policy_approval, policy_file
from enrollment.season.facts import Fact
from enrollment.season.grounds import KindergartenFacts
from enrollment.season.policy_file import CARE_KINDS, FAMILIES, NATURES

AREA = "510104"
HERE, SITE, ELSEWHERE = "5101040001", "5101040002", "5101070001"
RULES = [policy_file.read(policy_approval.template(family, AREA, 2026)) for family in FAMILIES]
RULES.append(policy_file.read(policy_file.adapt_to_area(policy_approval.worked_example(), AREA, 2026)))

areas = st.sampled_from([AREA, "510107", "510108"])
kindergartens = st.sampled_from([HERE, SITE, ELSEWHERE])
VALUES = {
    Fact.BORN: st.just("2023-01-01"),
    Fact.HUKOU_AREA: areas,
    Fact.HUKOU_KIND: st.sampled_from(["local", "collective", "elsewhere"]),
    Fact.HUKOU_STREET: st.sampled_from(["三圣街道", "春熙路街道"]),
    Fact.HOME_AREA: areas,
    Fact.HOME_PLACE: st.fixed_dictionaries({"street": st.just("三圣街道")}, optional={"estate": st.just("锦绣苑")}),
    Fact.HOME_OWNED: st.just(True),
    Fact.WORK_AREA: areas,
    Fact.RESIDENCE_PERMIT_AREA: areas,
    Fact.SIBLING_AT: kindergartens,
    Fact.SIBLING_RIGHT_AT: kindergartens,
    Fact.POLICY_CARE: st.sampled_from(CARE_KINDS),
    Fact.STAFF_CHILD_AT: kindergartens,
    Fact.SPECIAL_NEED: st.just(True),
    Fact.CHILDREN_IN_FAMILY: st.integers(1, 6),
}
facts = st.fixed_dictionaries({}, optional=VALUES)
places = st.builds(
    KindergartenFacts,
    code=st.just(HERE),
    nature=st.sampled_from(NATURES),
    area=st.just(AREA),
    parent=st.sampled_from([None, SITE]),
    sites=st.sampled_from([frozenset(), frozenset({SITE})]),
    estates=st.sampled_from([frozenset(), frozenset({"锦绣苑"})]),
)


def test_every_fact_is_drawn():
    assert set(VALUES) == set(Fact)


@given(known=facts, place=places, serves=st.booleans(), rules=st.sampled_from(RULES))
@settings(max_examples=300)
def test_every_family_has_a_tier(known, place, serves, rules):
    given_tier = rules.tier(known, place, serves)
    assert 0 <= given_tier.tier <= rules.default <= 15
    assert given_tier.rule in {rule.code for rule in rules.rules} | {"everybody"}
    assert (given_tier.ground is None) == (given_tier.rule == "everybody")
    assert rules.tier(known, place, serves) == given_tier


@given(known=facts, place=places, serves=st.booleans(), rules=st.sampled_from(RULES), data=st.data())
@settings(max_examples=600)
def test_one_fact_more_never_worsens_the_tier(known, place, serves, rules, data):
    missing = sorted(set(Fact) - set(known))
    if not missing:
        return
    fact = data.draw(st.sampled_from(missing))
    more = {**known, fact: data.draw(VALUES[fact])}
    assert rules.tier(more, place, serves).tier <= rules.tier(known, place, serves).tier


@given(known=facts, place=places, rules=st.sampled_from(RULES))
def test_being_served_never_worsens_the_tier(known, place, rules):
    assert rules.tier(known, place, True).tier <= rules.tier(known, place, False).tier


@given(known=facts, place=places, serves=st.booleans(), rules=st.sampled_from(RULES))
def test_the_tier_is_the_best_of_the_rules_that_hold(known, place, serves, rules):
    """Computed from the definition, without the optimisation of `Rules.tier`."""
    holding = [rules.default]
    for rule in rules.rules:
        fits = not rule.natures or place.nature in rule.natures
        if fits and any(all(rules.holds(ground, known, place, serves) for ground in way) for way in rule.ways):
            holding.append(rule.tier)
    assert rules.tier(known, place, serves).tier == min(holding)
