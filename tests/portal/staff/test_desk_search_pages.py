"""The desk's search by document, phone number, or name and birth date: pages, masking, honest empty states, both languages."""

import pytest
from sqlalchemy import select

from enrollment.applications.guardian_access import desk_search
from enrollment.ground.audit import AuditEntry
from tests.portal.parents.test_phone_pages import main_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

SEARCH = "/staff/desk/search"
PHONE = "13900001111"


@prepared
def desk(town, client):
    town.garden, town.far = town.kindergarten("锦官园", places=9), town.kindergarten("远园", places=9)
    town.li, town.zhao = town.family("李", phone=PHONE), town.family("赵", phone="13900002222")
    town.ana = town.child("李安娜", family=town.li, wishes=[town.garden])
    town.bo = town.child("李伯元", family=town.li, sex="m", wishes=[town.garden], submit=False)
    town.zoe = town.child("赵佐伊", family=town.zhao, wishes=[town.far])
    town.clerk = town.clerk_of(town.garden)
    town.session.commit()
    return town


@pytest.fixture
def clerk(desk, client):
    return sign_in(client, desk.clerk.account_id)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_two_children_of_one_phone_number_are_listed_masked(desk, clerk, lang):
    clerk.get(f"/staff/desk?lang={lang}")
    assert SEARCH in clerk.get("/staff/desk").text
    shown = main_of(fill_in(clerk, SEARCH, phone=PHONE))
    assert desk.ana.registration_code in shown
    assert ("(not handed in)" if lang == "en" else "（未提交）") in shown
    assert "李*娜" in shown and "李安娜" not in shown
    assert "李**" in shown and "李家长" not in shown
    page = fill_in(clerk, SEARCH, phone=PHONE).text
    for application in (desk.ana, desk.bo):
        assert f'href="/staff/desk/{application.id}"' in page


def test_one_application_opens_at_once_and_leads_on_to_the_guardian(desk, clerk):
    born = desk.bo.child.born.isoformat()
    opened = fill_in(clerk, SEARCH, name="李伯元", born=born)
    assert (opened.status_code, opened.location) == (303, f"/staff/desk/{desk.bo.id}")
    family = clerk.get(opened.location)
    assert "（未提交）" in main_of(family)
    assert f"/staff/desk/{desk.bo.id}/{desk.li.account.id}" in family.text
    assert "看证件" in main_of(clerk.get(f"/staff/desk/{desk.bo.id}/{desk.li.account.id}"))
    assert fill_in(clerk, SEARCH, document=desk.ana.child.id_number).location == f"/staff/desk/{desk.ana.id}"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_family_elsewhere_and_none_at_all_give_the_same_page(desk, clerk, lang):
    clerk.get(f"/staff/desk?lang={lang}")
    elsewhere, nobody = (main_of(fill_in(clerk, SEARCH, phone=phone)) for phone in ("13900002222", "13900003333"))
    assert elsewhere.replace("13900002222", "13900003333") == nobody
    for said in (
        ["No application that this desk can serve", "mistyped", "no wish here", "not have begun", "http"]
        if lang == "en"
        else ["没有找到本窗口可以办理的申请", "写错", "没有填报本园", "还没有登记", "http"]
    ):
        assert said in nobody


def test_faults_stand_beside_their_field_and_keep_what_was_typed(desk, clerk):
    assert "请填写一项" in main_of(fill_in(clerk, SEARCH))
    assert "请填写出生日期" in main_of(fill_in(clerk, SEARCH, name="李安娜"))
    assert "2026-05-21 这样的日期" in main_of(fill_in(clerk, SEARCH, name="李安娜", born="昨天"))
    wrong = fill_in(clerk, SEARCH, phone="12")
    assert "手机号是 11 位数字" in main_of(wrong) and 'value="12"' in wrong.text


def test_the_limit_is_told_and_a_search_that_found_nothing_counts(desk, clerk, portal_session, monkeypatch):
    monkeypatch.setattr(desk_search, "MOST_SEARCHES", 1)
    fill_in(clerk, SEARCH, phone="13900003333")
    counted = portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "search_family")).all()
    assert [(entry.subject, entry.reason, entry.details["found"]) for entry in counted] == [("account", "desk", 0)]
    assert "一小时内已经查了 1 次" in main_of(fill_in(clerk, SEARCH, phone=PHONE))
