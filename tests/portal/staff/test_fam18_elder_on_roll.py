"""FAM18 at the pages: the family names the elder sibling, the clerk sees what the roll knows, the family never does."""

import datetime as dt

import pytest

from enrollment.applications import elder_siblings, register_answers
from enrollment.eligibility import register_questions
from enrollment.review.roll_register import answers_from_roll
from tests.portal.parents.desk import errors, page, value_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

BORN = dt.date(2021, 3, 12)


@prepared
def draft(client, town):
    town.here = town.kindergarten("金苹果", places=5)
    town.open_registration()
    family = town.family("安")
    town.agree_to_registers(family)
    application = town.child("安娜", family=family, wishes=[town.here], submit=False)
    sign_in(client, family.account)
    return application


def grounds_of(application) -> str:
    return f"/parents/applications/{application.id}/grounds"


SAID = {"elder_sibling": "y", "elder_sibling_detail": "金苹果", "elder_name": "安大", "elder_born": "2021-03-12"}


def test_fam18_the_name_is_asked_where_the_ground_is_claimed_and_shown_again(client, town, draft):
    answer = fill_in(client, grounds_of(draft), elder_sibling="y", elder_sibling_detail="金苹果")
    assert errors(answer) == {"elder_name": "需要修改： 请填写哥哥或姐姐的姓名。"}
    answer = fill_in(client, grounds_of(draft), **SAID | {"elder_born": "去年"})
    assert "2020-05-01" in errors(answer)["elder_born"]
    assert fill_in(client, grounds_of(draft), **SAID).status_code == 303
    again = client.get(grounds_of(draft))
    assert (value_of(again, "elder_name"), value_of(again, "elder_born")) == ("安大", "2021-03-12")
    assert "安大" in client.get(f"/parents/applications/{draft.id}/check").text
    assert fill_in(client, grounds_of(draft), multi_child="y", multi_child_detail="2").status_code == 303
    town.session.expire_all()
    assert elder_siblings.of(town.session, draft.id) is None


def test_fam18_a_family_whose_elder_child_is_in_this_portal_need_not_say_it_again(client, town, draft):
    family = town.family("谢")
    elder = town.child("谢大", family=family, level="middle", submit=False)
    younger = town.child("谢小", family=family, submit=False)
    assert elder.child_id != younger.child_id
    sign_in(client, family.account)
    said = {"elder_sibling": "y", "elder_sibling_detail": "金苹果"}
    assert fill_in(client, grounds_of(younger), **said).status_code == 303


@pytest.mark.parametrize(
    ("on_roll", "told"),
    [(0, "没有找到"), (1, "有这个孩子"), (2, "有 2 个同名同生日的孩子")],
    ids=["none", "one", "two"],
)
def test_fam18_the_clerk_sees_what_the_roll_knows_and_the_family_does_not(client, town, draft, on_roll, told):
    for number in range(on_roll):
        town.child_on_roll(town.here, "安大", born=BORN, class_name=f"中{number}班")
    fill_in(client, grounds_of(draft), **SAID)
    town.submit(draft)
    asked = [one for one in register_questions.questions_about(town.session, [draft.id]) if one.register == "roll"]
    register_answers.note(town.session, answers_from_roll(town.session, asked), now=town.now)
    findings = client.get(f"/parents/applications/{draft.id}/findings")
    (card,) = [card for card in page(findings).select("main section.card") if "哥哥姐姐" in card.h2.get_text()]
    assert "部门数据" not in card.get_text()
    town.registration_is_over()
    clerk = town.clerk_takes(draft)
    sign_in(client, clerk.account_id)
    shown = client.get(f"/staff/applications/{draft.id}").text
    assert told in shown
    assert "安大" in shown
