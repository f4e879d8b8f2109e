"""What the freeze relies on: most grounds hold in a whole area, the others fail without one fact, and none needs a birth date."""

import pytest

from enrollment.season.facts import TESTED_FACTS, Fact, Ground
from enrollment.season.grounds import AT_KINDERGARTEN, GROUND_TESTS, GroundTerms, KindergartenFacts, Place

HERE = KindergartenFacts("K1", "public", "510104", sites=frozenset({"K3"}), estates=frozenset({"桂花苑"}))
OTHER = KindergartenFacts("K2", "public", "510104")
FACTS = {
    Fact.BORN: "2023-05-01", Fact.HUKOU_AREA: "510104", Fact.HUKOU_KIND: "local", Fact.HUKOU_STREET: "三圣街道",
    Fact.HOME_AREA: "510104", Fact.HOME_PLACE: {"estate": "桂花苑"}, Fact.HOME_OWNED: True,
    Fact.RESIDENCE_PERMIT_AREA: "510104", Fact.WORK_AREA: "510104", Fact.SIBLING_AT: "K1", Fact.SIBLING_RIGHT_AT: "K1",
    Fact.POLICY_CARE: "martyr", Fact.STAFF_CHILD_AT: "K1", Fact.SPECIAL_NEED: True, Fact.CHILDREN_IN_FAMILY: 2,
}  # fmt: skip
COLLECTIVE = {**FACTS, Fact.HUKOU_KIND: "collective"}


class Read(dict):
    """Facts that note which of them are read."""

    def __init__(self, facts):
        super().__init__(facts)
        self.read = set()

    def get(self, fact, default=None):
        self.read.add(fact)
        return super().get(fact, default)

    def __contains__(self, fact):
        self.read.add(fact)
        return super().__contains__(fact)


@pytest.mark.parametrize("ground", Ground)
def test_a_ground_is_of_its_area_or_needs_the_fact_that_is_named_for_it(ground):
    test, terms = GROUND_TESTS[ground], GroundTerms()
    facts = Read(COLLECTIVE if ground == Ground.COLLECTIVE_HUKOU else FACTS)
    served, elsewhere = Place(HERE, serves=True), Place(OTHER, serves=False)
    assert test(facts, served, terms)
    assert facts.read <= TESTED_FACTS
    if ground in AT_KINDERGARTEN:
        assert not test(facts, elsewhere, terms)
        assert not test({fact: facts[fact] for fact in facts if fact != AT_KINDERGARTEN[ground]}, served, terms)
    else:
        assert test(facts, elsewhere, terms)
