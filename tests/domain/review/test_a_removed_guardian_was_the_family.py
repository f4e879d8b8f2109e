"""After a removal nothing shows the removed guardian where the child is, and the remaining one decides, whoever entered it."""

import pytest
from sqlalchemy import event, select

from enrollment.applications import register_answers
from enrollment.corrections import requests
from enrollment.ground.errors import NotFound
from enrollment.ground.outbox import Notice
from enrollment.maintenance import invariants
from enrollment.offers import family_requests
from enrollment.people.consents import Register
from enrollment.people.person_rows import Guardian
from enrollment.reports import personal_data
from enrollment.review import case_withdrawals, guardian_requests, support_cases
from enrollment.review.guardian_requests import Paper
from tests.support.prepared import prepared
from tests.support.town_helping import photo_of_a_paper

WHY = {"reason": "已核对保护令"}


@prepared
def parents(town):
    """The mother entered 安娜 and agreed to registers; the father accepted her invitation."""
    garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[garden], grounds=["special_need"])
    town.mother, town.father = town.parent_of(town.ana), town.second_guardian(town.ana)
    town.first, town.second = town.area_official("510104"), town.area_official("510104")
    return town


def mother_is_removed(town):
    mother = town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.account_id)).one()
    case = guardian_requests.request_removal(
        town.session, town.ana.id, mother.id, Paper(photo_of_a_paper()), protected=True, text="人身安全保护令",
        by=town.father.actor, now=town.now,
    )  # fmt: skip
    guardian_requests.propose_removal(town.session, case.id, **WHY, by=town.first, now=town.now)
    guardian_requests.confirm_removal(town.session, case.id, **WHY, by=town.second, now=town.now)
    assert list(invariants.find_violations(town.session)) == []


def told(town, account_id) -> set[str]:
    return set(town.session.scalars(select(Notice.kind).where(Notice.account_id == account_id)))


def test_the_case_of_a_disabled_child_is_told_to_the_guardian_who_remains(parents):
    town = parents
    mother_is_removed(town)
    town.clerk_proposes_refusal(town.ana)
    case = support_cases.of_application(town.session, town.ana.id)
    assert case.account_id == town.father.account.id
    assert "support_case_opened" in told(town, town.father.account.id)
    assert not {"support_case_opened", "case_opened"} & told(town, town.mother.account_id)
    assert case_withdrawals.own_cases(town.session, by=town.mother) == []
    assert case in case_withdrawals.own_cases(town.session, by=town.father.actor)


def test_a_removal_locks_the_applications_of_the_child_before_the_child(parents):
    """As every edit of the family does: in the other order one of both is an internal error."""
    locked = []

    def note(_connection, _cursor, statement, *_more):
        if "FOR NO KEY UPDATE" in statement:
            locked.append(statement.split("FROM ")[1].split()[0])

    engine = parents.session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        mother_is_removed(parents)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert {"application", "child"} <= set(locked)
    assert locked.index("application") < locked.index("child")
    assert "application" not in locked[locked.index("child") :]


def test_every_guardian_hears_of_the_case_of_an_office(parents):
    town = parents
    town.clerk_proposes_refusal(town.ana)
    for account_id in (town.mother.account_id, town.father.account.id):
        assert "support_case_opened" in told(town, account_id)
    case = support_cases.of_application(town.session, town.ana.id)
    mother_is_removed(town)
    assert case in case_withdrawals.own_cases(town.session, by=town.father.actor), "it goes over with the application"
    assert case_withdrawals.own_cases(town.session, by=town.mother) == []


def test_a_case_that_she_opened_before_is_hers_no_more(parents):
    town = parents
    case = family_requests.ask(town.session, town.ana.id, "appeal", text="不同意", by=town.mother, now=town.now)
    assert case_withdrawals.own_cases(town.session, by=town.mother) == [case]
    mother_is_removed(town)
    assert case_withdrawals.own_cases(town.session, by=town.mother) == []
    with pytest.raises(NotFound):
        case_withdrawals.own_case(town.session, case.id, by=town.mother)
    assert personal_data.export(town.session, by=town.mother, now=town.now).tables["case_file"] == []


def test_the_remaining_guardian_chooses_which_registers_are_asked(parents):
    town = parents
    town.agree_to_registers(town.father, Register.PROPERTY)
    before = register_answers.registers_asked(town.session, town.ana)
    mother_is_removed(town)
    assert register_answers.registers_asked(town.session, town.ana) == {Register.PROPERTY} != before
    assert requests.guardian_of_application(town.session, town.ana).account_id == town.father.account.id
    assert (town.ana.entered_by, town.ana.entered_for) == (town.father.account.id, None)


def test_what_a_helper_entered_for_her_is_his(town):
    garden = town.kindergarten("金苹果", places=2)
    town.open_registration()
    helper = town.helper()
    town.ana = town.helper_enters(
        town.acting(helper, town.mandate_by_code(helper, "13811112222")), "安娜", wishes=[garden]
    )
    town.mother, town.father = town.parent_of(town.ana), town.second_guardian(town.ana)
    town.first, town.second = town.area_official("510104"), town.area_official("510104")
    mother_is_removed(town)
    assert (town.ana.entered_by, town.ana.entered_for) == (town.father.account.id, None)
