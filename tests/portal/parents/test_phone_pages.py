"""FAM10, FAM11, FAM12, FAM24: the pages of phones, printed codes, desks, guardians and disputes."""

import io
import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import func, select, text

from enrollment.applications.guardian_access import desk_access
from enrollment.ground.accounts import Account
from enrollment.ground.audit import AuditEntry
from enrollment.ground.outbox import TextMessage
from enrollment.ground.phones import parse_phone
from enrollment.ground.sign_in import account_of_phone
from enrollment.people.desk_rows import AccessCode
from enrollment.people.person_rows import Guardian
from enrollment.results import letters
from enrollment.review import case_officers, cases, guardian_requests
from tests.support.letters import draw_waiting, drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_helping import photo_of_a_paper
from tests.support.worker import let_the_worker_work

NEW = "13955556666"


@prepared
def family(town, client):
    town.garden = town.kindergarten("锦官园", places=1)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.mother = town.session.get_one(Account, town.ana.entered_by)
    town.old = town.mother.phone
    town.session.commit()
    return town


def words(letter) -> str:
    assert letter.mimetype == "application/pdf", letter.text
    return "".join(one.extract_text() for one in PdfReader(io.BytesIO(letter.data)).pages)


def texts_to(session, phone):
    found = session.scalars(select(TextMessage).order_by(TextMessage.written_at)).all()
    return [text.body for text in found if parse_phone(text.to) == parse_phone(phone)]


def code_to(session, phone):
    return re.search(r"验证码 (\d{6})", texts_to(session, phone)[-1]).group(1)


def asked_code(client, session, town, guardian):
    """The clerk prints an access code with what the mother reads from her phone."""
    fill_in(client, guardian, f"{guardian}/access-code/proof")
    return fill_in(client, guardian, f"{guardian}/access-code", code=code_to(session, town.old))


def main_of(page):
    return BeautifulSoup(page.text, "lxml").main.get_text(" ", strip=True)


def test_fam10_a_phone_is_changed_with_two_codes_and_other_browsers_are_signed_out(
    family, client, another_client, portal_session
):
    town, elsewhere = family, another_client()
    sign_in(client, town.mother)
    sign_in(elsewhere, town.mother)
    assert fill_in(client, "/parents/phone", phone=NEW).headers["Location"] == "/parents/phone/code"
    proof = {"new_code": code_to(portal_session, NEW), "old_code": code_to(portal_session, town.old)}
    assert fill_in(client, "/parents/phone/code", **proof).status_code == 303
    assert "139****6666" in main_of(client.get("/parents/phone"))
    assert elsewhere.get("/parents").headers["Location"].startswith("/sign-in")
    assert "不再用于登录" in texts_to(portal_session, town.old)[-1]


def test_fam10_only_the_newest_codes_are_sent_after_a_time_without_a_gateway(
    family, client, portal_session, frozen_clock
):
    town = family
    sign_in(client, town.mother)
    for _request in range(3):
        fill_in(client, "/parents/phone", phone=NEW)
        frozen_clock.move(minutes=1)
    sent = portal_session.scalars(select(TextMessage).order_by(TextMessage.written_at)).all()
    for phone in (NEW, town.old):
        states = [each.state for each in sent if parse_phone(each.to) == parse_phone(phone)]
        assert states == ["withheld", "withheld", "waiting"]
    proof = {"new_code": code_to(portal_session, NEW), "old_code": code_to(portal_session, town.old)}
    assert fill_in(client, "/parents/phone/code", **proof).status_code == 303


def test_fam10_the_link_to_the_old_number_stops_the_change(family, client, another_client, portal_session):
    town = family
    sign_in(client, town.mother)
    fill_in(client, "/parents/phone", phone=NEW)
    fill_in(client, "/parents/phone/code", new_code=code_to(portal_session, NEW))
    assert "生效" in main_of(client.get("/parents/phone"))
    link = re.search(r"http://localhost(/phone-change/\S+) ", texts_to(portal_session, town.old)[-1]).group(1)
    holder = another_client()
    assert "停止" in main_of(holder.get(link))
    assert fill_in(holder, link).status_code == 303
    assert holder.get(link).status_code == 404
    assert client.get("/parents").headers["Location"].startswith("/sign-in"), "a stolen session has ended"


def test_fam10_a_sign_in_that_races_with_the_change_ends(family, client, portal_session):
    """The session was written with the old phone's mark after the change had deleted the account's sessions."""
    town = family
    sign_in(client, town.mother, phone_mark="0123456789abcdef")
    assert client.get("/parents").headers["Location"].startswith("/sign-in")


def test_fam10_at_a_desk_two_clerks_change_a_phone(family, client, another_client, portal_session):
    town = family
    clerk, head = town.clerk_of(town.garden), town.clerk_of(town.garden)
    town.session.commit()
    sign_in(client, clerk.account_id)
    number = portal_session.scalars(select(Guardian)).one().id_number
    found = client.get(f"/staff/desk?code={town.ana.registration_code}").headers["Location"]
    guardian = f"{found}/{town.mother.id}"
    assert str(town.mother.id) in client.get(found).text
    wrong = fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end="0000")
    assert "与登记的证件不一致" in wrong.text
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    assert fill_in(client, guardian, f"{guardian}/phone", phone=NEW).headers["Location"] == f"{guardian}/codes"
    fill_in(client, f"{guardian}/codes", new_code=code_to(portal_session, NEW))
    assert "需要另一位来确认" in main_of(client.get("/staff/desk"))
    other = another_client()
    sign_in(other, head.account_id)
    page = other.get("/staff/desk")
    action = BeautifulSoup(page.text, "lxml").select_one('form[action*="phone-changes"]')["action"]
    assert fill_in(other, "/staff/desk", action).status_code == 303
    assert "/phone-change/" in texts_to(portal_session, town.old)[-1]


def test_fam11_a_printed_code_signs_in_on_any_computer(family, client, portal_session):
    town = family
    clerk = town.clerk_of(town.garden)
    number = portal_session.scalars(select(Guardian)).one().id_number
    desk_access.check_identity(
        portal_session, town.ana.id, town.mother.id, document_kind="resident", document_end=number[-4:],
        purpose="desk", by=clerk, now=town.now,
    )  # fmt: skip
    text = town.prints_code(town.ana, town.mother.id, by=clerk)
    portal_session.commit()
    assert "登录码不对" in fill_in(client, "/sign-in/access-code", code="CDFG-CDFG").text
    assert fill_in(client, "/sign-in/access-code", code=text).headers["Location"] == "/parents"
    assert "安娜" in client.get("/parents").text


def test_fam11_the_desk_prints_the_letters(family, client, another_client, portal_session, portal_engine, frozen_clock):
    town = family
    clerk = town.clerk_of(town.garden)
    town.session.commit()
    sign_in(client, clerk.account_id)
    number = portal_session.scalars(select(Guardian)).one().id_number
    guardian = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    refused = client.get(f"{guardian}/letter.pdf", headers={"Referer": f"http://localhost{guardian}"})
    assert (
        refused.status_code == 409 and "这一页现在打不开" in main_of(refused) and f'href="{guardian}"' in refused.text
    )
    alone = client.get(f"{guardian}/letter.pdf", headers={"Referer": f"http://localhost{guardian}/letter.pdf"})
    assert "回到首页" in main_of(alone), "a page that reloads itself leads nowhere"
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    state = drawn_letter(client, portal_engine, frozen_clock, f"{guardian}/letter.pdf")
    assert "安娜" in words(state)
    asked = asked_code(client, portal_session, town, guardian)
    code = drawn_letter(client, portal_engine, frozen_clock, asked.headers["Location"])
    typed = re.search(r"(?:[A-Z2-9]{4}-){4}[A-Z2-9]{4}", words(code)).group()
    assert fill_in(another_client(), "/sign-in/access-code", code=typed).headers["Location"] == "/parents"
    again = drawn_letter(client, portal_engine, frozen_clock, f"{guardian}/letter.pdf")
    assert "登录码用过" in words(again), "what was not told yet is told"
    assert "登录码用过" not in words(drawn_letter(client, portal_engine, frozen_clock, f"{guardian}/letter.pdf"))


def test_a_letter_with_a_code_is_gone_after_it_was_given(
    family, client, another_client, portal_session, portal_engine, frozen_clock
):
    town = family
    sign_in(client, town.clerk_of(town.garden).account_id)
    number = portal_session.scalars(select(Guardian)).one().id_number
    guardian = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    frozen_clock.set(town.now)

    def asked() -> str:
        return asked_code(client, portal_session, town, guardian).headers["Location"]

    def deleted() -> list[str]:
        with client.application.app_context():
            return let_the_worker_work(portal_engine, frozen_clock, (letters.FORGET,))

    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    address = asked()
    stored = portal_session.execute(text("SELECT row_to_json(letter)::text FROM letter")).scalar_one()
    assert not re.search(r"(?:[A-Z2-9]{4}-){4}", stored) and "%PDF" not in stored
    assert draw_waiting(client.application, portal_engine, frozen_clock) == ["done"]
    other = town.account_of_staff("clerk9", "同事", "clerk", kindergarten_id=town.garden.id)
    town.session.commit()
    colleague = sign_in(another_client(), other.id)
    fill_in(colleague, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    assert colleague.get(address).status_code == 409, "only who issued it"
    for _twice in range(2):
        assert client.get(address).data.startswith(b"%PDF")
    frozen_clock.move(minutes=1)
    assert client.get(address).status_code == 409
    assert deleted() == ["done"]
    assert portal_session.scalar(select(func.count()).select_from(letters.LetterRow)) == 0
    asked()
    assert draw_waiting(client.application, portal_engine, frozen_clock) == ["done"]
    frozen_clock.move(minutes=10)
    gone = client.get(address)
    assert gone.status_code == 409 and "登录码的信已经不在" in main_of(gone) and "打印新的登录码" in main_of(gone)
    assert f'href="{guardian}"' in gone.text, "the page that prints a new one"
    assert "The letter with the code is gone" in client.get(f"{address}?lang=en").text
    client.get(f"{address}?lang=zh")
    assert set(deleted()) == {"done"}
    assert portal_session.scalar(select(func.count()).select_from(letters.LetterRow)) == 0


def test_a_code_printed_in_the_last_minute_of_a_check_is_fetched_after_it(
    family, client, portal_session, portal_engine, frozen_clock
):
    town = family
    sign_in(client, town.clerk_of(town.garden).account_id)
    town.session.commit()
    number = portal_session.scalars(select(Guardian)).one().id_number
    guardian = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    frozen_clock.set(town.now)
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    frozen_clock.move(minutes=29)
    address = asked_code(client, portal_session, town, guardian).headers["Location"]
    assert draw_waiting(client.application, portal_engine, frozen_clock) == ["done"]
    frozen_clock.move(minutes=2)
    assert client.get(address).data.startswith(b"%PDF")


def test_a_code_of_a_season_that_is_over_is_neither_shown_nor_issued(family, client, portal_session, frozen_clock):
    town = family
    sign_in(client, town.clerk_of(town.garden).account_id)
    town.session.commit()
    number = portal_session.scalars(select(Guardian)).one().id_number
    guardian = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    frozen_clock.set(town.now)
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    asked_code(client, portal_session, town, guardian)
    assert "作废登录码" in main_of(client.get(guardian))
    frozen_clock.set(portal_session.scalars(select(AccessCode.expires_at)).one())
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    assert "作废登录码" not in main_of(client.get(guardian))
    refused = asked_code(client, portal_session, town, guardian)
    assert refused.status_code == 200 and "招生年度已经结束" in main_of(refused)


def test_the_desk_offers_only_letters_that_exist(family, client, portal_session, frozen_clock):
    town = family
    clerk = town.clerk_of(town.garden)
    town.session.commit()
    sign_in(client, clerk.account_id)
    number = portal_session.scalars(select(Guardian)).one().id_number
    guardian = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    page = client.get(guardian).text
    assert f"{guardian}/letter.pdf" in page
    assert f"{guardian}/notice.pdf" not in page
    town.drawn(town.ana)
    town.confirm(town.ana)
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, clerk.account_id)
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    assert f"{guardian}/notice.pdf" in client.get(guardian).text


def test_tru17_the_desk_prints_the_notice_that_the_family_gets(
    family, client, another_client, portal_session, portal_engine, frozen_clock
):
    town = family
    town.drawn(town.ana)
    town.confirm(town.ana)
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.clerk_of(town.garden).account_id)
    number = portal_session.scalars(select(Guardian)).one().id_number
    guardian = f"/staff/desk/{town.ana.id}/{town.mother.id}"
    assert client.get(f"{guardian}/notice.pdf").status_code == 409, "nobody looked at a document"
    fill_in(client, guardian, f"{guardian}/check", document_kind="resident", document_end=number[-4:])
    printed = select(func.count()).where(AuditEntry.act == "print_at_desk")
    for language, said in (("en", "being prepared"), ("zh", "正在准备")):
        waits = client.get(f"{guardian}/notice.pdf?lang={language}")
        assert waits.status_code == 202 and said in main_of(waits)
    assert portal_session.scalar(printed) == 0
    assert draw_waiting(client.application, portal_engine, frozen_clock) == ["done", "done"]
    at_the_desk = client.get(f"{guardian}/notice.pdf")
    assert at_the_desk.data.startswith(b"%PDF") and portal_session.scalar(printed) == 1
    mother = sign_in(another_client(), town.mother)
    at_home = mother.get(f"/parents/applications/{town.ana.id}/notice.pdf")
    assert at_home.data == at_the_desk.data, "drawn once"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_fam24_the_page_names_one_state_and_one_officer(family, client, lang):
    town, stranger = family, family.family("陌")
    official = town.area_official("510104")
    case_officers.save_desk_phone(town.session, "028-85550000", by=official, now=town.now)
    case = cases.open_dispute(
        town.session, child_name="安娜", id_kind="resident", id_number=town.ana.child.id_number, text="x",
        by=stranger.actor, now=town.now,
    )  # fmt: skip
    town.session.commit()
    sign_in(client, town.mother)
    address = f"/parents/applications/{town.ana.id}?lang={lang}"
    edit = {"zh": "修改申请", "en": "Change the application"}[lang]
    page = main_of(client.get(address))
    assert "028-85550000" in page
    assert edit in page or lang == "en"
    assert {"zh": "申请照常", "en": "the application goes on"}[lang] in page
    cases.impose_hold(town.session, case.id, reason="判决书", by=official, now=town.now)
    town.session.commit()
    held = main_of(client.get(address))
    assert {"zh": "申请已暂停", "en": "on hold"}[lang] in held
    assert {"zh": "前可以修改", "en": "You can change"}[lang] not in held
    assert {"zh": "不能修改、提交、撤回", "en": "Nothing can be changed"}[lang] in held


def test_fam12_removal_is_asked_with_a_paper_and_decided_by_two_officials(family, client, another_client):
    town = family
    father = town.second_guardian(town.ana)
    officials = [town.area_official("510104"), town.area_official("510104")]
    town.session.commit()
    sign_in(client, town.mother)
    page = f"/parents/applications/{town.ana.id}/guardians"
    assert "申请移除一位监护人" in main_of(client.get(page))
    row = town.session.scalars(select(Guardian).where(Guardian.account_id == father.account.id)).one()
    asked = {"guardian": str(row.id), "text": "离婚", "protected": "y"}
    missing = fill_in(client, f"{page}/remove", **asked)
    assert BeautifulSoup(missing.text, "lxml").select_one("#paper-error")
    assert "离婚" in missing.text
    assert fill_in(client, f"{page}/remove", paper=(open_photo(), "paper.jpg"), **asked).status_code == 303
    case = town.session.scalars(select(cases.Case)).one()
    for official, decision in zip(officials, ("propose", "remove"), strict=True):
        desk = another_client()
        sign_in(desk, official.account_id)
        address = f"/officials/2026/cases/{case.id}"
        assert desk.get(f"{address}/paper").status_code == 200
        assert fill_in(desk, address, f"{address}/{decision}", **{"decision-reason": "判决书"}).status_code == 303
    removed = another_client()
    sign_in(removed, father.account)
    assert removed.get(f"/parents/applications/{town.ana.id}").status_code == 404


def open_photo():

    return io.BytesIO(photo_of_a_paper())


def test_fam10_a_waiting_change_is_shown_on_the_home_page(family, client, portal_session, frozen_clock):
    sign_in(client, family.mother)
    fill_in(client, "/parents/phone", phone=NEW)
    fill_in(client, "/parents/phone/code", new_code=code_to(portal_session, NEW))
    assert "正在更换手机号" in main_of(client.get("/parents"))
    assert fill_in(client, "/parents/phone", "/parents/phone/stop").status_code == 303
    frozen_clock.move(minutes=1)
    assert "正在更换手机号" not in main_of(client.get("/parents"))


def test_a_guardian_with_a_second_phone_reads_the_ways_on(client, another_client, town):
    """The number is known under another phone: sign in with that one, or have it changed at a desk."""
    town.kindergarten("锦官园", places=1)
    town.open_registration()
    known = town.family("周")
    fresh = account_of_phone(town.session, "13900000077", now=town.now)
    town.session.commit()
    browser = sign_in(another_client(), fresh.id)
    fill_in(browser, "/parents/consent", consent="y")
    number = town.session.scalars(select(Guardian)).first().id_number
    answer = fill_in(browser, "/parents/guardian", name="周", id_kind="resident", id_number=number)
    assert known.account.id != fresh.id and answer.status_code == 200
    told = BeautifulSoup(answer.text, "lxml").main.get_text()
    assert "那个手机号还在用" in told and "那个手机号不用了" in told


def test_fam10_the_new_number_signs_in_as_soon_as_the_waiting_time_is_over(
    family, client, another_client, portal_session, frozen_clock
):
    """Also before the job has run: otherwise the number would open an empty account."""
    sign_in(client, family.mother)
    fill_in(client, "/parents/phone", phone=NEW)
    fill_in(client, "/parents/phone/code", new_code=code_to(portal_session, NEW))
    frozen_clock.move(hours=72, minutes=1)
    browser = another_client()
    fill_in(browser, "/sign-in", phone=NEW)
    assert fill_in(browser, "/sign-in/code", code=code_to(portal_session, NEW)).status_code == 303
    assert "安娜的入园申请" in main_of(browser.get("/parents"))


def test_fam12_the_home_page_of_a_family_with_two_children_says_who_asks_for_a_removal(family, client, town):
    second = town.child("本恩", family=town.second_guardian(town.ana), wishes=[town.garden])
    father = town.session.scalars(select(Guardian).where(Guardian.account_id == second.entered_by)).one()
    guardian_requests.request_removal(
        town.session, town.ana.id, father.id, guardian_requests.Paper(photo_of_a_paper()), protected=False, text="离婚",
        by=town.parent_of(town.ana), now=town.now,
    )  # fmt: skip
    town.session.commit()
    sign_in(client, second.entered_by)
    home = main_of(client.get("/parents"))
    assert "我的孩子" in home and "有人申请不再由您担任监护人" in home
