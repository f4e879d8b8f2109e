"""F6: a declined preference appeared in the ranking.  Here a claim counts nothing until it is verified, a declined fact
counts nothing at all, and neither refuses the application."""

from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts, verified_facts_of
from enrollment.season.facts import Fact, Ground
from tests.support.prepared import prepared
from tests.support.tiers import tier_at


@prepared
def ana(town):
    """Her brother is in the kindergarten, the family is registered in the area, and says both."""
    town.jinguan = town.kindergarten("锦官新城幼儿园", places=10)
    town.open_registration()
    return town.child("安娜", wishes=[town.jinguan], grounds={"elder_sibling": town.jinguan})


def tier_of(town, facts):
    return tier_at(town.session, town.the_round, facts, town.jinguan)


def verified_facts(town, application):
    return verified_facts_of(town.session, [application.id]).get(application.id, {})


def test_a_claim_counts_nothing_until_it_is_verified(town, ana):
    said = claimed_facts(town.session, ana.id)
    assert said[Fact.SIBLING_AT] == town.jinguan.code
    assert verified_facts(town, ana) == {}
    as_said, as_counted = tier_of(town, said), tier_of(town, verified_facts(town, ana))
    assert as_said.ground == Ground.ELDER_SIBLING
    assert as_counted.rule == "everybody"
    assert as_said.tier < as_counted.tier


def test_what_is_verified_counts(town, ana):
    town.clerk_confirms(ana)
    facts = verified_facts(town, ana)
    assert tier_of(town, facts) == tier_of(town, claimed_facts(town.session, ana.id))


def test_a_declined_ground_counts_nothing_and_does_not_refuse_the_application(town, ana):
    town.clerk_confirms(ana, declined=[Fact.SIBLING_AT])
    assert ana.stage == "confirmed"
    facts = verified_facts(town, ana)
    assert Fact.SIBLING_AT not in facts
    assert Fact.SIBLING_AT in claimed_facts(town.session, ana.id), "what the family said stays what it said"
    declined = town.session.get(VerifiedFact, (ana.id, Fact.SIBLING_AT))
    assert (declined.outcome, declined.value, declined.reason) == ("declined", None, "证明材料不符")
    assert tier_of(town, facts).ground != Ground.ELDER_SIBLING


def test_everything_declined_leaves_the_family_where_everybody_stands(town, ana):
    town.clerk_confirms(ana, declined=list(claimed_facts(town.session, ana.id)))
    assert ana.stage == "confirmed"
    assert tier_of(town, verified_facts(town, ana)).rule == "everybody"


def test_what_was_found_counts_not_what_was_said(town, ana):
    other = town.kindergarten("另一所幼儿园", places=5)
    town.clerk_confirms(ana, facts={Fact.SIBLING_AT: other.code})
    assert tier_of(town, verified_facts(town, ana)).ground != Ground.ELDER_SIBLING
