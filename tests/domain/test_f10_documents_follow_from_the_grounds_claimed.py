"""F10: elsewhere, documents were asked that the case did not need, and asked twice.

Here the list of papers is computed from the grounds that the family claims.
"""

import itertools

import pytest

from enrollment.applications import register_answers
from enrollment.applications.register_answers import Answer
from enrollment.eligibility import required_documents
from enrollment.eligibility.tiers import claimed_facts
from enrollment.review.queue import bulk_confirmation
from enrollment.season import policy_approval, policy_file
from enrollment.season.document_kinds import PROVES, Document
from enrollment.season.facts import FACTS_OF_GROUND, Fact, Ground


@pytest.fixture(params=policy_file.FAMILIES)
def rules(request):
    return policy_file.read(policy_approval.template(request.param, "510104", 2026))


def test_a_family_that_claims_nothing_brings_the_birth_certificate_alone(rules):
    assert rules.documents_for([]) == ("birth_certificate",)


def test_no_paper_is_asked_that_the_claimed_grounds_do_not_need(rules):
    for claimed in itertools.combinations(rules.grounds, 2):
        facts = {fact for ground in claimed for fact in FACTS_OF_GROUND[ground]}
        for document in set(rules.documents_for(claimed)) - {"birth_certificate"}:
            assert set(PROVES[document]) & facts, (claimed, document)


def test_no_paper_is_asked_twice(rules):
    everything = rules.documents_for(Ground)
    assert len(everything) == len(set(everything))
    booklet = rules.documents_for([Ground.LOCAL_HUKOU, Ground.COLLECTIVE_HUKOU, Ground.ELDER_SIBLING])
    assert booklet.count("hukou_booklet") == 1


def test_one_ground_more_never_takes_a_paper_away(rules):
    for ground, other in itertools.permutations(rules.grounds, 2):
        assert set(rules.documents_for([ground])) <= set(rules.documents_for([ground, other]))


def test_the_order_of_the_claims_plays_no_part(rules):
    forward = rules.documents_for(list(rules.grounds))
    assert forward == rules.documents_for(list(reversed(rules.grounds)))


def test_a_ground_that_the_rules_do_not_know_asks_for_nothing(rules):
    unknown = [ground for ground in Ground if ground not in rules.grounds]
    assert rules.documents_for(unknown) == rules.documents_for([])


@pytest.mark.parametrize(
    "kind,number,asked",
    [
        ("passport", "EA1234567", True),
        ("hk_macau_permit", "H12345678", True),
        ("birth_certificate", "R510123457", False),
    ],
)
def test_a_copy_of_the_passport_is_asked_where_the_child_is_registered_with_one(town, kind, number, asked):
    apple = town.kindergarten("金苹果", places=2)
    family = town.family("李")
    town.agree_to_registers(family)
    ana = town.child("Ana", family=family, id_kind=kind, number=number, wishes=[apple], submit=False)
    needed = {paper.document: paper for paper in required_documents.needed(town.session, ana)}
    assert (Document.PASSPORT_OR_PERMIT in needed) == asked
    if asked:
        assert not needed[Document.PASSPORT_OR_PERMIT].may_wait, "no register knows it"
        assert Document.PASSPORT_OR_PERMIT in [
            paper.document for paper in required_documents.missing(town.session, ana)
        ]
    with_number = town.child("Ben", wishes=[apple], submit=False)
    assert Document.PASSPORT_OR_PERMIT not in [
        one.document for one in required_documents.needed(town.session, with_number)
    ]


def test_a_family_of_the_town_sees_only_its_own_list(town):
    from_elsewhere = {"hukou_kind": "elsewhere", "hukou_area": None, "hukou_street": None}
    apple = town.kindergarten("金苹果", places=2)
    plain = town.child("Ana", wishes=[apple], submit=False, **from_elsewhere)
    sibling = town.child("Ben", wishes=[apple], submit=False, grounds={"elder_sibling": apple}, **from_elsewhere)
    assert [paper.document for paper in required_documents.needed(town.session, plain)] == ["birth_certificate"]
    asked = [paper.document for paper in required_documents.needed(town.session, sibling)]
    assert asked == ["birth_certificate", "hukou_booklet", "sibling_enrolment"]


def test_what_a_register_answers_for_needs_no_paper_until_it_says_something_else(town):
    apple = town.kindergarten("金苹果", places=2)
    family = town.family("李")
    town.agree_to_registers(family)
    ana = town.child("Ana", family=family, wishes=[apple], grounds={"elder_sibling": apple})
    # our own roll does not know every sibling, so what proves one is brought
    assert still_to_bring(town, ana) == ["hukou_booklet", "sibling_enrolment"]
    differs = Answer(ana.id, Fact.BORN.value, "household_register", "differs", "2023-01-01")
    register_answers.note(town.session, [differs], now=town.now)
    assert still_to_bring(town, ana) == ["birth_certificate", "hukou_booklet", "sibling_enrolment"]


def test_without_consent_to_the_check_every_paper_is_brought(town):
    apple = town.kindergarten("金苹果", places=2)
    ana = town.child("Ana", wishes=[apple], submit=False)
    assert still_to_bring(town, ana) == [paper.document for paper in required_documents.needed(town.session, ana)] != []


def still_to_bring(town, application) -> list[str]:
    return [paper.document for paper in required_documents.missing(town.session, application)]


def relation_is(town, application, relation):
    (guardianship,) = application.child.guardians
    guardianship.relation = relation
    town.session.flush()


@pytest.mark.parametrize(("relation", "asked"), [("mother", False), ("grandparent", True), ("other", True)])
def test_who_acts_for_a_child_without_being_a_parent_proves_it(town, relation, asked):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)], submit=False)
    relation_is(town, ana, relation)
    missing = {paper.document for paper in required_documents.missing(town.session, ana)}
    assert (Document.GUARDIANSHIP_PROOF in missing) == asked
    if asked:
        town.second_guardian(ana)
        town.session.expire_all()
        needed = {paper.document for paper in required_documents.needed(town.session, ana)}
        assert Document.GUARDIANSHIP_PROOF not in needed, "the father joined"


def test_an_application_that_no_parent_acts_for_is_looked_at_by_a_clerk(town):
    garden = town.kindergarten("金苹果", places=2)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本恩"))
    for child in (ana, ben):
        answers = [
            Answer(child.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
            for fact, value in claimed_facts(town.session, child.id).items()
        ]
        register_answers.note(town.session, answers, now=town.now)
    relation_is(town, ana, "grandparent")
    town.registration_is_over()
    clerk = town.clerk_of(garden)
    selection = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
    lines = bulk_confirmation.find(town.session, selection.id, by=clerk).lines
    assert [line.application_id for line in lines] == [ben.id]
