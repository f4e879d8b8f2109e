"""The test registers of the demo answer like registers: from a record of the family, over the documented protocol."""

import pytest

from enrollment.applications import register_answers
from enrollment.eligibility import households, register_questions
from enrollment.ground.identity import index_of
from enrollment.people.person_rows import Child, ChildDocument
from enrollment.review import fact_values
from enrollment.season.facts import Fact
from portal.demo import register_records
from portal.gateways.registers import Registers
from portal.gateways.stand_ins.registers import TestRegisters
from tests.support.prepared import prepared

HOME = {"street": "三圣街道", "community": "大安桥社区", "estate": "锦绣苑"}
HOUSEHOLD = {
    "home_community": "大安桥社区", "home_estate": "锦绣苑", "home_owned": True, "home_longitude": 104.1, "home_latitude": 30.6,
    "work_area": "510104",
}  # fmt: skip


@prepared
def here(town):
    kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
    town.open_registration()
    return kindergarten


@pytest.fixture
def agreeing(monkeypatch):
    """Nobody's registers are behind."""
    monkeypatch.setattr(register_records, "STORIES", ())


def family_of(town, name="李"):
    family = town.family(name, **HOUSEHOLD)
    town.agree_to_registers(family)
    return family


def ask(town, *applications):
    """What the job does, with registers that have the records of the town."""
    questions = register_questions.questions_about(town.session, [each.id for each in applications])
    with TestRegisters(lambda kind_of: register_records.find(town.session, kind_of)) as standing:
        answers = Registers(standing.url).ask(one for one in questions if one.register != "roll")
    register_answers.note(town.session, answers, now=town.now)
    return {(each.application_id, each.fact): each for each in answers}


def test_a_visitor_sees_what_the_family_handed_in_as_verified(town, here, agreeing):
    child = town.child("安娜", family=family_of(town), wishes=[here], grounds={"multi_child": 2})
    said = ask(town, child)
    assert {"born", "hukou_area", "home_place", "home_owned", "work_area", "children_in_family", "vaccination"} <= {
        fact for _id, fact in said
    }
    assert {each.answer for each in said.values()} == {"matches"}


def test_a_claim_that_changes_afterwards_is_contradicted_with_what_the_register_has(town, here, agreeing):
    family = family_of(town)
    child = town.child("安娜", family=family, wishes=[here])
    households.save(
        town.session, child.id, by=family.actor, now=town.now,
        **family.household | {"home_estate": "东湖苑", "home_longitude": 104.2},
    )  # fmt: skip
    said = ask(town, child)
    place = said[child.id, Fact.HOME_PLACE]
    assert place.answer == "differs"
    assert {name: place.value[name] for name in HOME} == HOME
    assert said[child.id, Fact.HOME_OWNED].answer == "matches"


def test_a_record_is_found_by_every_document_of_the_child(town, here, agreeing):
    child = town.child("安娜", family=family_of(town), wishes=[here])
    row = town.session.get_one(Child, child.child_id)
    permit = ChildDocument(
        child_id=row.id, kind="hk_macau_permit", number="H2041773501", person_index=index_of("H2041773501"),
        added_at=town.now, added_by=child.entered_by, current=False,
    )  # fmt: skip
    town.session.add(permit)
    town.session.flush()
    reissued = register_records.find(town.session, {row.id_number: "resident", "H2041773502": "hk_macau_permit"})
    assert reissued[row.id_number] == reissued["H2041773502"]
    assert register_records.find(town.session, {"H11111111": "hk_macau_permit"}) == {}


def test_siblings_of_one_guardian_get_one_answer_about_their_home(town, here, monkeypatch):
    monkeypatch.setattr(register_records, "STORIES", (("moved", 100),))
    family = family_of(town)
    both = [town.child(name, family=family, wishes=[here]) for name in ("安娜", "本恩")]
    said = ask(town, *both)
    values = [said[child.id, Fact.HOME_PLACE].value for child in both]
    assert values == [{"street": "府青路街道"}] * 2
    assert {said[child.id, Fact.HUKOU_AREA].answer for child in both} == {"matches"}


@pytest.mark.parametrize(
    ("story", "fact", "answer"),
    [
        ("moved", Fact.HOME_PLACE, "differs"),
        ("not_owner", Fact.HOME_OWNED, "differs"),
        ("registered_elsewhere", Fact.HUKOU_KIND, "differs"),
        ("one_child_less", Fact.CHILDREN_IN_FAMILY, "differs"),
        ("works_elsewhere", Fact.WORK_AREA, "differs"),
        ("home_unknown", Fact.HOME_PLACE, "unknown"),
        ("permit_expired", Fact.RESIDENCE_PERMIT_AREA, "unknown"),
    ],
)
def test_each_story_changes_an_answer_and_names_only_what_a_policy_can_read(
    town, here, monkeypatch, story, fact, answer
):
    assert [story for story, _limit in register_records.STORIES].count(story) == 1
    monkeypatch.setattr(register_records, "STORIES", ((story, 100),))
    family = family_of(town)
    family.household["residence_permit_area"] = "510104"
    child = town.child("安娜", family=family, wishes=[here], grounds={"multi_child": 3})
    said = ask(town, child)[child.id, fact]
    assert said.answer == answer
    assert said.value is None or fact_values.well_formed(fact, said.value)
