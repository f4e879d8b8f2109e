"""The desk: what a clerk does there is what the guardian at the desk meant, and the page tells what came of it."""

from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.people.desk_rows import PhoneChange
from enrollment.people.person_rows import Guardian
from enrollment.results.letters import CODE_KEPT
from portal.text.formats import moment
from tests.portal.parents.test_phone_pages import NEW, code_to, main_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


@prepared
def family(town, client):
    town.near, town.garden = town.kindergarten("近园", places=1), town.kindergarten("锦官园", places=1)
    town.ana = town.child("安娜", wishes=[town.near, town.garden])
    town.mother = town.session.get_one(Account, town.ana.entered_by)
    town.number = (
        town.session.scalars(select(Guardian).where(Guardian.account_id == town.mother.id)).one().id_number or ""
    )
    town.clerk, town.head = town.clerk_of(town.garden), town.clerk_of(town.garden)
    town.page = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    town.session.commit()
    return town


def checked(browser, town, by):
    """A clerk who has looked at the mother's document."""
    sign_in(browser, by.account_id)
    fill_in(browser, town.page, f"{town.page}/check", document_kind="resident", document_end=town.number[-4:])
    return browser


def asked(clerk, town, session, phone=NEW):
    fill_in(clerk, town.page, f"{town.page}/phone", phone=phone)
    return fill_in(clerk, f"{town.page}/codes", new_code=code_to(session, phone))


def confirm(browser, path="/staff/desk"):
    page = BeautifulSoup(browser.get(path).text, "lxml")
    actions = [form["action"] for form in page.select('form[action*="phone-changes"]')]
    return fill_in(browser, path, next(each for each in actions if not each.endswith("/refuse")))


def test_one_clerk_alone_prints_no_access_code_and_the_mother_ends_one(family, client, another_client, portal_session):
    town = family
    sign_in(client, town.clerk.account_id)
    for _slip in range(2):
        wrong = fill_in(client, town.page, f"{town.page}/check", document_kind="resident", document_end="0000")
        assert wrong.status_code == 200 and "与登记的证件不一致" in wrong.text
    assert len(portal_session.scalars(select(AuditEntry).where(AuditEntry.act == "check_identity_differs")).all()) == 2
    checked(client, town, town.clerk)
    printing = f"{town.page}/access-code"
    assert "请另一位工作人员核对证件并同意" in main_of(fill_in(client, town.page, printing))
    fill_in(client, town.page, f"{printing}/proof")
    assert "验证码不对" in main_of(fill_in(client, town.page, printing, code="000000"))
    colleague = checked(another_client(), town, town.head)
    assert fill_in(colleague, town.page, f"{printing}/agree").status_code == 303
    assert "另一位工作人员已经同意" in main_of(client.get(town.page))
    assert fill_in(client, town.page, printing).status_code == 303
    mother = sign_in(another_client(), town.mother)
    assert "窗口为您打印了一个登录码" in main_of(mother.get("/parents/account"))
    assert fill_in(mother, "/parents/account", "/parents/account/access-code/revoke").status_code == 303
    assert "窗口为您打印了一个登录码" not in main_of(mother.get("/parents/account"))


def test_an_answer_for_the_place_before_a_move_is_not_recorded(family, client, frozen_clock):
    town = family
    ben = town.child("本恩", wishes=[town.near])
    town.drawn(ben, town.ana)
    town.confirm(town.ana, wait=True)
    town.session.commit()
    frozen_clock.set(town.now)
    clerk = checked(client, town, town.clerk)
    shown = clerk.get(town.page)
    assert "锦官园" in main_of(shown)
    answering = f"{town.page}/answer"
    old_page = hidden_fields(shown.text, answering)
    town.decline(ben)
    town.replay()
    town.session.commit()
    assert town.place_of(town.ana) == town.near
    offer = town.offer_for(town.ana)
    state = offer.state
    refused = clerk.post(answering, data=old_page | {"answer": "decline"})
    assert refused.status_code == 409
    assert "近园" in main_of(refused) and "有了变化" in main_of(refused)
    town.session.refresh(offer)
    assert offer.state == state == "confirmed"
    assert fill_in(clerk, town.page, answering, answer="decline").status_code == 303, "what the new page shows"


def test_the_second_person_reads_what_came_of_the_change(family, client, another_client, portal_session, frozen_clock):
    town = family
    clerk, second = checked(client, town, town.clerk), another_client()
    asked(clerk, town, portal_session)
    sign_in(second, town.head.account_id)
    town.family("赵", phone=NEW)
    town.session.commit()
    change = portal_session.scalars(select(PhoneChange)).one()
    change.old_answered = True
    portal_session.commit()
    confirm(second)
    assert "没有更换：新号码已经用于另一个账户" in second.get("/staff/desk").text
    portal_session.refresh(change)
    assert change.outcome == "taken"


def test_a_stop_and_a_refusal_at_the_desk(family, client, another_client, portal_session, frozen_clock):
    town = family
    clerk = checked(client, town, town.clerk)
    asked(clerk, town, portal_session)
    second = sign_in(another_client(), town.head.account_id)
    refusing = f"/staff/desk/phone-changes/{portal_session.scalars(select(PhoneChange)).one().id}"
    assert fill_in(second, "/staff/desk", f"{refusing}/refuse").status_code == 303
    assert "没有确认，号码不变" in second.get("/staff/desk").text
    frozen_clock.move(minutes=1)
    asked(clerk, town, portal_session)
    mother = sign_in(another_client(), town.mother)
    before = second.get("/staff/desk").text
    assert fill_in(clerk, town.page, f"{town.page}/phone/keep").status_code == 303
    assert mother.get("/parents").status_code == 303, "signed out everywhere"
    newest = portal_session.scalars(select(PhoneChange).order_by(PhoneChange.asked_at.desc())).first()
    action = f"/staff/desk/phone-changes/{newest.id}"
    assert second.post(action, data=hidden_fields(before, action)).status_code == 303
    assert "没有更换：这个请求已经停止" in second.get("/staff/desk").text
    assert "138" in main_of(clerk.get(town.page))


def test_a_letter_that_is_kept_for_minutes_says_until_when(family, client, another_client, frozen_clock):
    town = family
    colleague = checked(another_client(), town, town.head)
    fill_in(colleague, town.page, f"{town.page}/access-code/agree")
    checked(client, town, town.clerk)
    letter = fill_in(client, town.page, f"{town.page}/access-code").location
    until = town.now + CODE_KEPT
    waits = client.get(letter)
    assert waits.status_code == 202
    assert f"在 {moment(until, in_language='zh')} 前回来下载" in main_of(waits)
    assert "过一会儿再来下载" not in main_of(waits)
    english = main_of(client.get(f"{letter}?lang=en"))
    assert f"come back before {moment(until, in_language='en')}" in english


def test_a_search_for_an_empty_code_asks_for_one(family, client, another_client):
    clerk, official = client, another_client()
    sign_in(clerk, family.clerk.account_id)
    sign_in(official, family.area_official().account_id)
    family.session.commit()
    cases = "/officials/2026/cases"
    for browser, path in (
        (clerk, "/staff/desk"),
        (clerk, "/staff/corrections"),
        (official, f"{cases}/revocations"),
        (official, f"{cases}/reinstatements"),
        (official, "/officials/2026/corrections"),
    ):
        asks = "请填写登记编号"
        assert asks not in browser.get(path).text
        assert asks in browser.get(f"{path}?code=+").text, path
