"""Registers: who is asked what, what an answer does, and what happens when a register is late, wrong or gone."""

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import register_answers
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.register_answers import Answer
from enrollment.draw import participants
from enrollment.eligibility import register_questions, required_documents
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.register_questions import Question
from enrollment.eligibility.sibling_entitlements import Entitlement
from enrollment.eligibility.tiers import claimed_facts, verified_facts_of
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.people import consents
from enrollment.people.consents import Register
from enrollment.people.person_rows import Child
from enrollment.results import dispute_facts
from enrollment.review import cases
from enrollment.review.case_rows import CaseKind
from enrollment.review.queue import bulk_confirmation, task_groups
from enrollment.review.queue.bulk_rows import BulkOutcome
from enrollment.review.queue.filters import Group
from enrollment.review.roll_register import answers_from_roll
from enrollment.season.document_kinds import Document
from enrollment.season.facts import Fact
from portal.gateways.registers import Breaker, Registers
from portal.gateways.stand_ins.registers import NAME, TestRegisters
from tests.support.prepared import prepared


@prepared
def here(town):
    kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
    town.open_registration()
    return kindergarten


@pytest.fixture
def test_registers():
    with TestRegisters() as standing:
        yield standing


def willing(town, name, here, **more):
    """A child of a family that consents to the register check."""
    family = town.family(name)
    town.agree_to_registers(family)
    return town.child(name, family=family, wishes=[here], **more)


def id_number_of(town, application):
    return town.session.get_one(Child, application.child_id).id_number


def ask(town, client):
    """What the job does, without its transactions."""
    ids = register_answers.to_ask(town.session, now=town.now)
    questions = register_questions.questions_about(town.session, ids)
    answers = answers_from_roll(town.session, [one for one in questions if one.register == "roll"])
    answers += client.ask(one for one in questions if one.register != "roll")
    register_answers.note(town.session, answers, now=town.now)
    return len(ids)


def truth_of(town, application, **otherwise):
    said = {fact.value: value for fact, value in claimed_facts(town.session, application.id).items()}
    return said | {"vaccination": None} | otherwise


def test_only_families_that_consent_are_asked_about_and_only_what_they_claim(town, here, test_registers):
    ana, ben = willing(town, "安娜", here), town.child("本恩", wishes=[here])
    assert register_answers.to_ask(town.session, now=town.now) == [ana.id]
    questions = register_questions.questions_about(town.session, [ana.id])
    asked = {question.fact: question.register for question in questions}
    assert asked["hukou_area"] == "household_register"
    assert asked["vaccination"] == "vaccination"
    assert "work_area" not in asked, "nobody claimed a workplace"
    assert questions[0].child.id_number == id_number_of(town, ana)
    assert len(questions[0].guardians) == 1
    ask(town, Registers(test_registers.url))
    assert register_answers.answers_of(town.session, ben.id) == {}
    assert register_answers.to_ask(town.session, now=town.now) == []


def test_a_register_is_asked_only_with_the_consent_to_ask_it_and_its_paper_is_brought_instead(
    town, here, test_registers
):
    family = town.family("安")
    town.agree_to_registers(family, Register.HOUSEHOLD)
    ana = town.child("安娜", family=family, wishes=[here])

    def spared():
        return {paper.document for paper in required_documents.needed(town.session, ana) if paper.may_wait}

    assert ask(town, Registers(test_registers.url)) == 1
    assert {register for register, _n in test_registers.asked} == {"household_register"}
    assert {said.register for said in register_answers.answers_of(town.session, ana.id).values()} == {
        "household_register"
    }
    assert Document.PROPERTY_CERTIFICATE not in spared()
    town.at(town.now + dt.timedelta(minutes=1))
    town.agree_to_registers(family, Register.PROPERTY)
    assert register_answers.to_ask(town.session, now=town.now) == [ana.id], "a consent of today is used today"
    test_registers.asked.clear()
    consents.withdraw(town.session, consents.KIND_OF[Register.HOUSEHOLD], by=family.actor, now=town.now)
    ask(town, Registers(test_registers.url))
    assert {register for register, _n in test_registers.asked} == {"property"}
    entries = [each for each in town.session.scalars(select(AuditEntry)) if "kind" in each.details]
    told = {(entry.act, entry.details["kind"]) for entry in entries}
    assert {("consent", "ask_property"), ("withdraw_consent", "ask_household_register")} <= told


def test_answers_are_kept_with_source_and_date_and_mismatches_come_first(town, here, test_registers):
    first, second = willing(town, "安娜", here), willing(town, "本恩", here)
    test_registers.truths = {
        id_number_of(town, first): truth_of(town, first),
        id_number_of(town, second): truth_of(town, second, home_place={"street": "春熙路街道"}),
    }
    assert ask(town, Registers(test_registers.url)) == 2
    said = register_answers.answers_of(town.session, second.id)
    assert (said["home_place"].answer, said["home_place"].value) == ("differs", {"street": "春熙路街道"})
    assert (said["home_place"].register, said["home_place"].at) == ("property", town.now)
    assert said["hukou_area"].answer == "matches"
    town.registration_is_over()
    clerk = town.clerk_of(here)
    queue = task_groups.overview(town.session, by=clerk, now=town.now)
    assert [line.application_id for line in queue.lines[Group.NEW]] == [second.id]
    assert [line.application_id for line in queue.lines[Group.AGREES]] == [first.id]
    assert task_groups.take_next(town.session, by=clerk, now=town.now).id == second.id


def test_those_on_whom_all_registers_agree_are_confirmed_in_bulk(town, here, test_registers):
    agreed, contradicted, unknown, unasked = (
        willing(town, "安娜", here),
        willing(town, "本恩", here),
        willing(town, "陈晨", here),
        town.child("丁丁", wishes=[here]),
    )
    test_registers.truths = {
        id_number_of(town, agreed): truth_of(town, agreed),
        id_number_of(town, contradicted): truth_of(town, contradicted, hukou_kind="elsewhere"),
        id_number_of(town, unknown): {"born": truth_of(town, unknown)["born"]},
    }
    ask(town, Registers(test_registers.url))
    clerk = town.clerk_of(here)
    with pytest.raises(Refused, match="nothing_agrees"):
        bulk_confirmation.draw(town.session, by=clerk, now=town.now)
    town.registration_is_over()
    with pytest.raises(Refused, match="nothing_agrees"):
        bulk_confirmation.draw(town.session, by=town.clerk_of(town.kindergarten("别园", places=1)), now=town.now)
    assert confirm_all(town, clerk) == {BulkOutcome.CONFIRMED: 1}
    town.session.expire_all()
    assert [each.stage for each in (agreed, contradicted, unknown, unasked)] == ["confirmed", *["submitted"] * 3]
    claimed = claimed_facts(town.session, agreed.id)
    tested = {fact: value for fact, value in claimed.items() if fact != Fact.BORN}  # no rule tests the date of birth
    assert verified_facts_of(town.session, [agreed.id])[agreed.id] == tested
    sources = set(town.session.scalars(select(VerifiedFact.source).where(VerifiedFact.application_id == agreed.id)))
    assert sources == {"register"}
    made = select(MoveMade.move).where(MoveMade.application_id == agreed.id).order_by(MoveMade.number)
    moves = town.session.scalars(made).all()
    assert moves[-2:] == ["take", "confirm"]
    with pytest.raises(Refused, match="nothing_agrees"):
        bulk_confirmation.draw(town.session, by=clerk, now=town.now)


def confirm_all(town, clerk):
    """The clerk draws a selection, opens its sample and confirms it."""
    selection = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
    for line in bulk_confirmation.find(town.session, selection.id, by=clerk).sample:
        bulk_confirmation.open_sample(town.session, selection.id, line.application_id, by=clerk, now=town.now)
    return bulk_confirmation.confirm(town.session, selection.id, by=clerk, now=town.now)


def test_a_disputed_answer_needs_a_clerk(town, here, test_registers):
    ana = willing(town, "安娜", here)
    test_registers.truths = {id_number_of(town, ana): truth_of(town, ana)}
    ask(town, Registers(test_registers.url))
    by = town.parent_of(ana)
    case = cases.open_register_dispute(town.session, ana.id, "hukou_area", text=" 已经迁入 ", by=by, now=town.now)
    assert (case.kind, case.text, case.due_at > town.now) == (CaseKind.REGISTER_DISPUTE, "已经迁入", True)
    again = cases.open_register_dispute(town.session, ana.id, "home_area", text="搬家了", by=by, now=town.now)
    assert again.id == case.id and case.text == "已经迁入\n搬家了", "one case of a family, and nothing said is lost"
    cases.open_register_dispute(town.session, ana.id, "home_area", text="搬家了", by=by, now=town.now)
    assert case.text.count("搬家了") == 1, "sent twice"
    assert {each.fact for each in dispute_facts.disputed_answers(town.session, case)} == {"hukou_area", "home_area"}
    town.registration_is_over()
    with pytest.raises(Refused, match="nothing_agrees"):
        bulk_confirmation.draw(town.session, by=town.clerk_of(here), now=town.now)
    with pytest.raises(NotFound):
        cases.open_register_dispute(
            town.session, ana.id, "hukou_area", text="", by=town.family("别家").actor, now=town.now
        )


def test_an_answer_to_what_the_family_has_changed_since_counts_no_more(town, here, test_registers):
    from enrollment.eligibility import households

    ana = willing(town, "安娜", here)
    test_registers.truths = {id_number_of(town, ana): truth_of(town, ana)}
    ask(town, Registers(test_registers.url))
    town.at(town.now + dt.timedelta(hours=1))
    households.save(
        town.session, ana.id, by=town.parent_of(ana), now=town.now, hukou_kind="collective", hukou_area="510104"
    )
    assert register_answers.answers_of(town.session, ana.id) == {}
    assert register_answers.to_ask(town.session, now=town.now) == [ana.id]
    ask(town, Registers(test_registers.url))
    assert register_answers.answers_of(town.session, ana.id)["hukou_kind"].answer == "differs"


class TestTheRollAnswersItself:
    def put_on_roll(self, town, kindergarten, family, level):
        elder = town.child("哥哥", family=family, level="middle", submit=False)
        child = town.session.get_one(Child, elder.child_id)
        town.child_on_roll(kindergarten, "哥哥", level=level, id_number=child.id_number)

    @pytest.mark.parametrize(
        ("level", "answer"), [("middle", "matches"), ("upper", "unknown")], ids=["stays", "leaves for school"]
    )
    def test_for_an_elder_sibling_who_is_still_there_next_year(self, town, here, level, answer):
        family = town.family("安")
        town.agree_to_registers(family)
        self.put_on_roll(town, here, family, level)
        ana = town.child("安娜", family=family, wishes=[here], grounds={"elder_sibling": here})
        questions = register_questions.questions_about(town.session, [ana.id])
        (said,) = answers_from_roll(town.session, [one for one in questions if one.register == "roll"])
        assert (said.fact, said.answer) == ("sibling_at", answer)

    def test_for_one_who_is_elsewhere_than_the_family_says(self, town, here):
        family, there = town.family("安"), town.kindergarten("小蜜蜂幼儿园", places=5)
        town.agree_to_registers(family)
        self.put_on_roll(town, there, family, "middle")
        ana = town.child("安娜", family=family, wishes=[here], grounds={"elder_sibling": here})
        questions = [q for q in register_questions.questions_about(town.session, [ana.id]) if q.register == "roll"]
        (said,) = answers_from_roll(town.session, questions)
        assert (said.answer, said.value) == ("differs", there.code)

    @pytest.mark.parametrize(
        ("expires", "answer"), [(dt.date(2026, 8, 31), "unknown"), (dt.date(2026, 9, 1), "matches")]
    )
    def test_for_a_stored_right_that_lasts_until_september(self, town, here, expires, answer):
        ana = willing(town, "安娜", here, grounds={"sibling_right": here})
        index = town.session.get_one(Child, ana.child_id).id_index
        right = {"child_id_index": index, "kindergarten_id": here.id, "proof": "2024-17"}
        town.session.add(Entitlement(**right, granted_on=dt.date(2024, 6, 1), expires_on=expires))
        town.session.flush()
        questions = [q for q in register_questions.questions_about(town.session, [ana.id]) if q.register == "roll"]
        (said,) = answers_from_roll(town.session, questions)
        assert (said.fact, said.answer) == ("sibling_right_at", answer)


class TestARegisterThatFails:
    def questions(self, town, here):
        ana = willing(town, "安娜", here)
        return ana, register_questions.questions_about(town.session, [ana.id])

    @pytest.mark.parametrize("mood", ["down", "wrong"])
    def test_is_unavailable_and_asked_again_later(self, town, here, test_registers, mood):
        ana, _ = self.questions(town, here)
        test_registers.mood = mood
        ask(town, Registers(test_registers.url, pause=0))
        said = register_answers.answers_of(town.session, ana.id)
        assert {answer.answer for answer in said.values()} == {"unavailable"}
        assert register_answers.to_ask(town.session, now=town.now) == []
        town.at(town.now + dt.timedelta(minutes=11))
        assert register_answers.to_ask(town.session, now=town.now) == [ana.id]
        test_registers.mood = "well"
        test_registers.truths = {id_number_of(town, ana): truth_of(town, ana)}
        ask(town, Registers(test_registers.url))
        said = register_answers.answers_of(town.session, ana.id)
        assert {answer.answer for answer in said.values()} == {"matches"}

    def test_too_slow_counts_as_unavailable(self, town, here, test_registers):
        _, questions = self.questions(town, here)
        test_registers.mood, test_registers.delay = "slow", 0.5
        said = Registers(test_registers.url, timeout=0.1, tries=1).ask(questions[:1])
        assert [answer.answer for answer in said] == ["unavailable"]

    def test_nobody_listens_there(self, town, here):
        _, questions = self.questions(town, here)
        said = Registers("http://127.0.0.1:9", tries=1).ask(questions)
        assert {answer.answer for answer in said} == {"unavailable"}

    def test_a_later_silence_takes_no_answer_away(self, town, here, test_registers):
        ana, _ = self.questions(town, here)
        test_registers.truths = {id_number_of(town, ana): truth_of(town, ana)}
        ask(town, Registers(test_registers.url))
        register_answers.note(
            town.session, [Answer(ana.id, "hukou_area", "household_register", "unavailable")], now=town.now
        )
        town.session.expire_all()
        assert register_answers.answers_of(town.session, ana.id)["hukou_area"].answer == "matches"

    def test_after_three_faults_it_is_left_alone_for_a_minute_and_then_tried_again(self, town, here, test_registers):
        _, questions = self.questions(town, here)
        question = [next(one for one in questions if one.register == "property")]
        seconds = [0.0]
        client = Registers(test_registers.url, tries=1, pause=0)
        client.breakers["property"] = Breaker(clock=lambda: seconds[0])
        test_registers.mood = "down"
        for _ in range(5):
            client.ask(question)
        assert len(test_registers.asked) == 3
        seconds[0] = 61
        test_registers.mood = "well"
        assert client.ask(question)[0].answer in ("matches", "differs", "unknown")
        assert len(test_registers.asked) == 4

    def test_an_odd_value_is_not_believed(self, town, here, test_registers):
        ana, questions = self.questions(town, here)
        test_registers.truths = {id_number_of(town, ana): {"home_place": {"street": 7}, "hukou_kind": "noble"}}
        said = {answer.fact: answer.answer for answer in Registers(test_registers.url).ask(questions)}
        assert (said["home_place"], said["hukou_kind"]) == ("unavailable", "unavailable")


def test_only_the_join_with_the_live_consents_makes_a_question(town, here):
    application = willing(town, "李安然", here)
    made = register_questions.questions_about(town.session, [application.id])[0]
    values = {name: getattr(made, name) for name in (each.name for each in dataclasses.fields(made))}
    with pytest.raises(TypeError, match="live consent"):
        Question(**values, made_by=None)
    with pytest.raises(ValueError, match="made_by"):
        dataclasses.replace(made, register="social_insurance")
    with pytest.raises(TypeError, match="bound to a consent"):
        type("Other", (Question,), {})


def test_questions_go_in_batches_of_five_hundred(town, here, test_registers):
    ana = willing(town, "安娜", here)
    question = next(q for q in register_questions.questions_about(town.session, [ana.id]) if q.fact == "born")
    assert len(Registers(test_registers.url).ask([question] * 1200)) == 1200
    assert [number for _, number in test_registers.asked] == [500, 500, 200]


def test_the_test_register_says_that_it_is_one(test_registers):
    from urllib.request import urlopen

    with urlopen(test_registers.url) as page:
        assert NAME in page.read().decode()


def test_the_job_asks_about_everybody_who_waits(town, here, app, portal_session, portal_engine):
    """Through the real worker's code: rows committed, the test register of this very process, answers stored."""
    from portal.jobs import runner

    willing(town, "安娜", here)
    portal_session.commit()
    runner.load_handlers()
    from enrollment.ground import jobs

    job_id = jobs.enqueue(portal_session, "ask_registers", now=town.now)
    portal_session.commit()
    with app.app_context():
        assert runner.run(portal_engine, lambda _session: town.now, job_id, "test") == "done"
    portal_session.expire_all()
    answered = portal_session.scalars(select(register_answers.RegisterAnswer.answer)).all()
    assert answered
    assert "unavailable" not in answered
    waiting = portal_session.scalars(select(Application)).one()
    assert register_answers.answers_of(portal_session, waiting.id).keys() >= {"born", "vaccination"}
    assert participants.under_review(portal_session, town.the_round) == [(here.name, 1)]
    assert Fact.BORN in claimed_facts(portal_session, waiting.id)


@pytest.mark.parametrize(
    ("claimed", "known", "answer"),
    [
        ({"street": "龙舟路街道", "point": [104.1, 30.6]}, {"street": "龙舟路街道", "estate": "锦绣苑"}, "matches"),
        ({"street": "龙舟路街道", "estate": "锦绣苑"}, {"street": "龙舟路街道", "estate": "东湖苑"}, "differs"),
        ({"point": [104.1, 30.6]}, {"street": "龙舟路街道"}, "differs"),
        ({"street": "龙舟路街道"}, None, "differs"),
        (None, True, "matches"),
    ],
)
def test_a_test_register_compares_a_claim_with_its_record(test_registers, claimed, known, answer):
    question = {
        "ref": "0",
        "fact": "home_place",
        "claimed": claimed,
        "child": {"id_kind": "resident", "id_number": "1"},
    }
    test_registers.truths = {"1": {"home_place": known}}
    assert [each["answer"] for each in test_registers.answers([question])] == [answer]
    assert test_registers.answers([question | {"fact": "work_area"}]) == [{"ref": "0", "answer": "unknown"}]
