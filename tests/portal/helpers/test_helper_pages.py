"""The pages of a community helper: the code, the form on behalf of a family, the receipt to sign, ending the mandate."""

import datetime as dt
import io
import re

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.applications import mandates
from enrollment.applications.applications import Application
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.ground.sign_in import WebSession
from enrollment.open_days import days, visits
from enrollment.open_days.days import DayPlan, SlotPlan
from enrollment.open_days.rows import OpenDayVisit
from enrollment.people.household_rows import household_of
from enrollment.people.person_rows import Guardian
from enrollment.review import review
from tests.portal.parents.desk import errors, hidden, page
from tests.portal.parents.test_every_page import open_pages, pages_of
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_families import id_number
from tests.support.town_helping import photo_of_a_paper

PHONE = "13811112222"
MOTHERS_NUMBER = id_number(dt.date(1988, 3, 3))
BORN = dt.date(2023, 3, 12)
LANGUAGES = ("zh", "en")


@prepared
def garden(town):
    found = town.kindergarten("金苹果", places=5)
    town.open_registration()
    return found


@prepared
def yang(town, garden, client):
    found = town.helper("小杨", "helper1")
    sign_in(client, found.account_id)
    return found


def newest_text(session) -> str:
    return session.scalars(select(TextMessage).order_by(TextMessage.written_at.desc())).first().body


def code_in(text: str) -> str:
    return re.search(r"(?<!\d)\d{6}(?!\d)", text).group()


def begin_by_code(client, session, phone=PHONE, **fields):
    asked = fill_in(client, "/helpers/new", phone=phone, agreed="y", **fields)
    assert asked.headers["Location"] == "/helpers/new/code"
    return fill_in(client, "/helpers/new/code", code=code_in(newest_text(session)))


def enter_the_form(client, session, garden) -> str:
    """Everything from the guardian to the submission; returns the address of the receipt."""
    fill_in(client, "/parents/guardian", name="张小三", id_kind="resident", id_number=MOTHERS_NUMBER)
    entered = fill_in(
        client, "/parents/children/new", name="张小宝", relation="mother", id_kind="resident", id_number=id_number(BORN)
    )
    assert entered.status_code == 303, errors(entered)
    application = session.scalars(select(Application)).one()
    start = f"/parents/applications/{application.id}"
    said = {"hukou_kind": "local", "hukou_area": "510104", "home_area": "510104", "home_street": "三圣街道"}
    assert fill_in(client, f"{start}/household", **said).status_code == 303
    finder = page(client.get(f"{start}/wishes/add"))
    programme = finder.select_one("[name=add]")["value"]
    form = hidden_fields(str(finder), finder.select_one(".finds form").get("action"))
    assert client.post(f"{start}/wishes/add", data={**form, "add": programme}).status_code == 303
    handed_in = fill_in(client, f"{start}/check", true="y", agrees_to_central="y")
    assert handed_in.status_code == 303, errors(handed_in)
    return handed_in.headers["Location"]


# --- the story


def test_a_helper_enters_an_application_from_code_to_receipt(
    client, another_client, town, yang, garden, portal_engine, frozen_clock
):
    assert begin_by_code(client, town.session).headers["Location"] == "/parents"
    assert "正在代手机尾号 2222 的家长填写" in client.get("/parents").text
    receipt = enter_the_form(client, town.session, garden)
    shown = client.get(receipt)
    assert "正在代 张*三 填写" in shown.text
    assert "由社区协办员代为填写" in shown.text
    application = town.session.scalars(select(Application)).one()
    assert (application.stage, application.entered_by) == ("submitted", yang.account_id)

    twin = drawn_letter(client, portal_engine, frozen_clock, f"{receipt}.pdf")
    assert twin.status_code == 200
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(twin.data)).pages)
    for told in (
        application.registration_code,
        "由社区协办员 小杨 代为填写",
        "监护人签名",
        "张小三",
        "三圣街道",
        "金苹果",
    ):
        assert told in text, told
    assert MOTHERS_NUMBER not in text, "numbers are masked on paper"

    guardian = another_client()
    sign_in(guardian, application.entered_for)
    assert application.registration_code in guardian.get("/parents").text
    account = guardian.get("/parents/account").text
    for told in ("小杨", "委托有效", "提交申请", "登记幼儿"):
        assert told in account, told
    assert "社区协办员代您提交了入园申请" in guardian.get("/parents/messages").text
    mandate = town.session.scalars(select(Mandate)).one()
    ended = fill_in(guardian, "/parents/account", action=f"/parents/account/mandates/{mandate.id}/end")
    assert ended.headers["Location"] == "/parents/account"
    assert client.get("/parents").headers["Location"] == "/helpers", "at once, and in the helper's open session too"
    assert "现在没有正在代办的家庭" in client.get("/helpers").text


def test_every_page_of_a_helper(client, town, yang, garden):
    open_pages(client, ["/helpers", "/helpers/new", "/helpers/new/paper"])
    fill_in(client, "/helpers/new", phone=PHONE, agreed="y")
    open_pages(client, ["/helpers/new/code"])
    mandate = town.mandate_by_code(yang, PHONE)
    baby = town.helper_enters(town.acting(yang, mandate), "李", wishes=[garden], guardian="李")
    sign_in(client, yang.account_id, acting=str(mandate.id))
    mine = [path for path in pages_of(baby) if not path.endswith(("withdraw", "invite"))]
    own = [
        "/parents/consent",
        "/parents/guardian",
        "/parents/children/new",
        f"/parents/applications/{baby.id}/receipts/1",
    ]
    forbidden = ("/withdraw", "/invite", "/result", "/findings", "/messages", "/account", "/dispute")
    links = open_pages(client, ["/helpers", *mine, *own])
    assert [(path, link) for path, link in links if link.endswith(forbidden)] == []


# --- the fault that this ends


def test_a_helper_is_no_guardian_of_its_own(client, town, yang, garden, monkeypatch, app):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    for path in ("/parents", "/parents/guardian", "/parents/consent", "/parents/children/new"):
        assert client.get(path).headers["Location"] == "/helpers", path
    said = {"name": "小杨", "id_kind": "resident", "id_number": MOTHERS_NUMBER}
    assert client.post("/parents/guardian", data=said).headers["Location"] == "/helpers"
    assert client.post("/parents/consent", data={"consent": "y"}).status_code == 403
    assert town.session.scalars(select(Guardian)).all() == []


# --- the consent


def test_the_text_says_who_helps_with_what_and_how_to_refuse(client, town, yang, frozen_clock):
    fill_in(client, "/helpers/new", phone=PHONE, agreed="y")
    text = newest_text(town.session)
    for told in ("社区协办员小杨", "2026年", "不同意就不要告诉任何人", "028-12345"):
        assert told in text, told
    frozen_clock.move(minutes=1)
    fill_in(client, "/helpers/new", phone="13811113333", agreed="y", registers=["household_register", "property"])
    assert "向政府部门核对" in newest_text(town.session)


def test_the_answer_is_the_same_for_a_known_phone_and_an_unknown_one(client, town, yang):
    """Also when too many codes were requested, which the page says with the time to wait (FAM27)."""
    town.family("李", phone=PHONE)
    pages = {PHONE: [], "13899998888": []}
    for phone, seen in pages.items():
        for _time in range(8):
            answer = fill_in(client, "/helpers/new", phone=phone, agreed="y")
            shown = client.get(answer.headers["Location"]).text
            seen.append((answer.status_code, main_of(shown).replace(phone[:3] + "****" + phone[-4:], "")))
    known, unknown = pages.values()
    assert known == unknown
    assert "60 分钟后可以再要" in known[-1][1]


def main_of(text: str) -> str:
    return BeautifulSoup(text, "lxml").main.get_text(" ", strip=True)


@pytest.mark.parametrize(("language", "told"), [("zh", "请先把委托书"), ("en", "Please read the mandate")])
def test_without_the_guardians_yes_no_code_is_sent(client, town, yang, language, told):
    client.get(f"/helpers?lang={language}")
    answer = fill_in(client, "/helpers/new", phone=PHONE)
    assert told in errors(answer)["agreed"]
    assert town.session.scalars(select(TextMessage)).all() == []


def test_a_wrong_code_counts_and_begins_nothing(client, town, yang):
    fill_in(client, "/helpers/new", phone=PHONE, agreed="y")
    wrong = f"{(int(code_in(newest_text(town.session))) + 1) % 1_000_000:06d}"
    assert "验证码不对或已过期" in fill_in(client, "/helpers/new/code", code=wrong).text
    assert town.session.scalars(select(Account).where(Account.phone_index.is_not(None))).all() == []
    assert client.get("/parents").headers["Location"] == "/helpers"


def test_the_code_of_a_helper_opens_no_guardians_session(client, another_client, town, yang, frozen_clock):
    fill_in(client, "/helpers/new", phone=PHONE, agreed="y")
    code = code_in(newest_text(town.session))
    frozen_clock.move(minutes=1)
    elsewhere = another_client()
    fill_in(elsewhere, "/sign-in", phone=PHONE)
    assert code != code_in(newest_text(town.session)), "one in a million"
    assert "验证码不对或已过期" in fill_in(elsewhere, "/sign-in/code", code=code).text


def test_the_consent_is_read_and_not_given_by_the_helper(client, town, yang):
    begin_by_code(client, town.session)
    shown = page(client.get("/parents/consent"))
    assert shown.select("main form") == []
    assert "监护人已于" in shown.main.get_text()
    token = hidden(client.get("/parents/guardian"))
    assert client.post("/parents/consent", data=token | {"consent": "y", "registers": "y"}).status_code == 403


# --- on paper


def send_paper(client, **fields):
    good = {"name": "张小三", "phone": PHONE, "signed_on": "2026-05-21", "agreed": "y"}
    photo = (io.BytesIO(photo_of_a_paper()), "paper.jpg")
    return fill_in(client, "/helpers/new/paper", **({"paper": photo} | good | fields))


def test_on_paper_and_taken_over_by_the_guardian(client, another_client, town, yang, garden):
    assert send_paper(client).headers["Location"] == "/parents"
    assert "正在代 张*三 填写" in client.get("/parents").text
    enter_the_form(client, town.session, garden)
    application = town.session.scalars(select(Application)).one()
    guardian = another_client()
    fill_in(guardian, "/sign-in", phone=PHONE)
    fill_in(guardian, "/sign-in/code", code=code_in(newest_text(town.session)))
    beginning = guardian.get("/parents")
    assert application.registration_code not in beginning.text
    assert "小杨" in beginning.text
    paper = page(beginning).select_one(".card.now a")["href"]
    assert "与委托书上的监护人不符" in fill_in(guardian, paper, id_number="51010419900101123X").text
    assert fill_in(guardian, paper, id_number=MOTHERS_NUMBER).headers["Location"] == "/parents"
    assert application.registration_code in guardian.get("/parents").text
    own = page(guardian.get("/parents/account")).select_one('main a[href$="/paper"]')["href"]
    assert guardian.get(own).mimetype == "image/webp"
    sign_in(guardian, town.city_official().account_id)
    trail = page(guardian.get("/officials/2026/audit?person=helper1")).select_one('main a[href$="/paper"]')["href"]
    assert guardian.get(trail).mimetype == "image/webp"
    told = town.session.scalars(select(Notice.kind).where(Notice.child_id == application.child_id)).all()
    assert set(told) == {"application_submitted_by_helper", "application_taken_over"}


def test_the_blank_paper_says_what_is_signed(client, yang, portal_engine, frozen_clock):
    blank = drawn_letter(client, portal_engine, frozen_clock, "/helpers/mandate.pdf")
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(blank.data)).pages)
    for told in ("代办委托书", "小杨", "最长 30 天", "监护人签名", "个人信息同意书"):
        assert told in text, told


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"signed_on": "昨天"}, "signed_on", "请写成 2026-05-21 这样的日期"),
        ({"signed_on": ""}, "signed_on", "请填写委托书上的签名日期"),
        ({"paper": (io.BytesIO(b""), "")}, "paper", "请选择要上传的照片或 PDF"),
        ({"agreed": ""}, "agreed", "请先把委托书"),
        ({"name": ""}, "name", "请填写姓名"),
    ],
)
def test_a_fault_of_the_paper_stands_beside_its_field(client, yang, fields, field, told):
    assert told in errors(send_paper(client, **fields))[field]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_guardian_takes_over_or_rejects_a_paper(client, town, yang, garden, language):
    mandate = town.mandate_on_paper(yang, PHONE, "李")
    family = town.family("李", phone=PHONE)
    sign_in(client, family.account)
    open_pages(client, ["/parents", f"/parents/papers/{mandate.id}", "/parents/account", "/parents/messages"])
    no = fill_in(client, f"/parents/papers/{mandate.id}", action=f"/parents/papers/{mandate.id}/disown")
    assert no.headers["Location"] == "/parents"
    assert client.get(f"/parents/papers/{mandate.id}").status_code == 404
    assert mandates.acting_for(town.session, mandate.id, by=yang, now=town.now) is None


@pytest.mark.parametrize(
    ("language", "promises"),
    [("zh", ("手机尾号", "会收到短信", "会发短信")), ("en", ("texts you", "gets a text message and", "Phone ending"))],
)
def test_a_family_without_a_phone_is_promised_no_text_message(
    client, another_client, town, yang, garden, portal_engine, frozen_clock, language, promises
):
    client.get(f"/helpers?lang={language}")
    assert send_paper(client, phone="").headers["Location"] == "/parents"
    receipt = enter_the_form(client, town.session, garden)
    application = town.session.scalars(select(Application)).one()
    pdf = drawn_letter(client, portal_engine, frozen_clock, f"{receipt}.pdf").data
    paper = "".join(one.extract_text() for one in PdfReader(io.BytesIO(pdf)).pages)
    shown = [main_of(client.get(receipt).text), main_of(client.get("/helpers").text), paper]
    for text in shown:
        assert not [promise for promise in promises if promise in text]
    told = {"zh": "没有手机的家庭", "en": "Families without a phone"}[language]
    assert told in shown[0] and told in " ".join(paper.split())
    guardian = another_client()
    sign_in(guardian, application.entered_for)
    assert "手机号登录" not in main_of(guardian.get("/parents/messages").text)


def test_the_desk_page_says_what_to_tell_a_family_without_a_phone(
    client, another_client, town, yang, garden, frozen_clock, portal_engine
):
    mandate = town.mandate_on_paper(yang, "")
    baby = town.helper_enters(town.acting(yang, mandate), wishes=[garden])
    town.close_registration()
    reviewer = town.reviewer_of(baby)
    review.take(town.session, baby.id, by=reviewer, now=town.now)
    review.send_back(town.session, baby.id, [review.Ask("rental_record", "首页不清楚")], by=reviewer, now=town.now)
    town.session.commit()
    frozen_clock.set(town.now)
    clerk = sign_in(another_client(), reviewer.account_id)
    for language, told, ask in (
        ("zh", "请您家补充申请的 1 项内容", "首页不清楚"),
        ("en", "asks you to complete 1 item", "首页不清楚"),
    ):
        assert told in main_of(clerk.get(f"/staff/desk?lang={language}").text)
        family = main_of(clerk.get(f"/staff/desk/{baby.id}").text)
        assert told in family and ask in family
    page = f"/staff/desk/{baby.id}"
    assert client.get(f"{page}/contact.pdf").status_code in (303, 403), "the helper is no desk"
    household_of(town.session, baby.id).home_address = None
    town.session.commit()
    assert clerk.get(f"{page}/contact.pdf").status_code == 404, "without an address there is no letter"
    household_of(town.session, baby.id).home_address = "1 栋 301"
    town.session.commit()
    assert "contact.pdf" in clerk.get(page).text
    letter = drawn_letter(clerk, portal_engine, frozen_clock, f"{page}/contact.pdf?lang=zh")
    posted = "".join(one.extract_text() for one in PdfReader(io.BytesIO(letter.data)).pages)
    for said in (
        "1 栋 301",
        "收",
        "首页不清楚",
        "请您家补充申请的 1 项内容",
        "期限",
        baby.registration_code,
        garden.name,
    ):
        assert said in posted, said
    assert fill_in(clerk, page, action=f"{page}/contact", way="letter").status_code == 303
    assert clerk.get(f"{page}/contact.pdf").status_code == 404, "nothing is left to tell"
    assert baby.registration_code not in main_of(clerk.get("/staff/desk").text)


# --- one family at a time, and the ways out


@prepared
def two(client, town, yang, garden):
    """Two families of this helper, each with an application; it acts for the first."""
    first, second = (town.mandate_by_code(yang, phone) for phone in (PHONE, "13811113333"))
    town.helper_enters(town.acting(yang, first), "张小宝", wishes=[garden], guardian="张小三")
    town.helper_enters(town.acting(yang, second), "李小宝", wishes=[garden], guardian="李小四")
    sign_in(client, yang.account_id, acting=str(first.id))
    return first, second


def test_one_family_at_a_time(client, town, two):
    first, second = two
    home = client.get("/helpers").text
    assert "正在代 张*三 填写" in home
    assert "李*四" in home
    assert "李小四" not in home and "李小宝" not in home
    token = {"csrf_token": hidden_fields(home)["csrf_token"]}
    assert client.post(f"/helpers/{second.id}/act", data=token).headers["Location"] == "/helpers"
    assert "张小宝" in client.get("/parents").text
    assert client.get("/helpers/new").headers["Location"] == "/helpers"
    assert client.post("/helpers/leave", data=token).headers["Location"] == "/helpers"
    assert client.get("/parents").headers["Location"] == "/helpers"
    assert fill_in(client, "/helpers", action=f"/helpers/{second.id}/act").headers["Location"] == "/parents"
    assert "李小宝" in client.get("/parents").text
    assert first.ended_at is None


def test_a_tab_left_open_writes_nothing_into_another_family(client, town, yang, two):
    _first, second = two
    left_open = hidden_fields(client.get("/parents/guardian").text)
    said = {"name": "张改名", "id_kind": "resident", "id_number": ""}
    sign_in(client, yang.account_id, acting=str(second.id))
    left_open |= {"csrf_token": hidden_fields(client.get("/parents/guardian").text)["csrf_token"]}
    answer = client.post("/parents/guardian", data=left_open | said)
    assert answer.status_code == 409
    assert "另一个家庭" in answer.text
    names = {one.name for one in town.session.scalars(select(Guardian))}
    assert names == {"张小三", "李小四"}


def test_what_was_typed_for_one_family_is_never_shown_for_another(client, town, yang, two):
    first, second = two
    typed = hidden_fields(client.get("/parents/guardian").text) | {"name": "张写到一半", "id_kind": "resident"}
    for row in town.session.scalars(select(WebSession)):
        row.expires_at = row.seen_at
    led = client.post("/parents/guardian", data=typed)
    assert led.headers["Location"] == "/sign-in?next=/parents/guardian"
    with client.session_transaction() as session:
        saved_form = session["saved_form"]
    sign_in(client, yang.account_id, acting=str(second.id), saved_form=saved_form)
    assert "张写到一半" not in client.get("/parents/guardian").text
    sign_in(client, yang.account_id, acting=str(first.id), saved_form=saved_form)
    assert "张写到一半" in client.get("/parents/guardian").text


def test_signing_out_ends_acting(client, town, yang, two):
    first, _second = two
    assert client.post("/sign-out", data=hidden_fields(client.get("/parents/guardian").text)).status_code == 303
    sign_in(client, yang.account_id)
    assert client.get("/parents").headers["Location"] == "/helpers"
    assert first.ended_at is None, "the mandate lasts"


def test_giving_a_mandate_back_ends_it(client, town, yang, two):
    first, second = two
    sign_in(client, yang.account_id)
    assert fill_in(client, "/helpers", action=f"/helpers/{second.id}/end").headers["Location"] == "/helpers"
    assert [one.id for one in mandates.live_of_helper(town.session, by=yang, now=town.now)] == [first.id]
    for act in ("act", "end"):
        foreign = client.post(f"/helpers/{MOTHERS_NUMBER}/{act}", data=hidden_fields(client.get("/helpers").text))
        assert foreign.status_code == 404


def test_a_family_that_ends_a_mandate_hears_of_the_draft_that_is_left(client, another_client, town, yang, two):
    """And the helper reads why the family is gone from its list; what was handed in needs no such message."""
    first, second = two
    town.helper_enters(town.acting(yang, second), "李二宝", submit=False)
    town.session.commit()
    guardian = sign_in(another_client(), second.account_id)
    fill_in(guardian, "/parents/account", action=f"/parents/account/mandates/{second.id}/end")
    told = [text for text in guardian.get("/parents/messages").text.split("<") if "还没有提交" in text]
    assert len(told) == 1 and f"{town.the_round.closes_at.astimezone(CHENGDU):%H:%M} 前请登录检查、提交" in told[0]
    listed = sign_in(client, yang.account_id).get("/helpers").text
    assert "家长已结束的委托" in listed and "手机尾号 3333 的家长" in listed
    fill_in(client, "/helpers", action=f"/helpers/{first.id}/end")
    assert "手机尾号 2222" not in client.get("/helpers").text, "the helper knows what it has given back"


def test_the_mandate_of_another_helper_is_not_found(client, town, two):
    first, _second = two
    sign_in(client, town.helper("小李").account_id)
    token = hidden_fields(client.get("/helpers/new").text)
    for act in ("act", "end"):
        assert client.post(f"/helpers/{first.id}/{act}", data=token).status_code == 404
    assert "张" not in main_of(client.get("/helpers").text)


def test_the_trail_by_person_shows_what_a_helper_entered(client, town, two):
    sign_in(client, town.city_official().account_id)
    found = page(client.get("/officials/2026/audit?person=helper1")).select("tbody tr")
    told = [" ".join(row.get_text(" ", strip=True).split()) for row in found]
    assert any("小杨（helper1） · 替家长办理" in line and "提交申请" in line for line in told)
    assert any("取得代办委托" in line for line in told)
    assert all("helper1" in line for line in told)
    guardians = {str(mandate.account_id)[:8] for mandate in two}
    assert {code for code in guardians if any(code in line for line in told)} == guardians, "and for whom"


def test_a_helper_books_an_open_day_for_the_family_it_acts_for_and_gives_it_up(client, town, garden, yang):
    slots = [SlotPlan(None, dt.time(9), dt.time(10), 2)]
    plan = DayPlan(town.now.astimezone(CHENGDU).date() + dt.timedelta(days=5), "大门", "", slots)
    day = days.publish(town.session, garden.id, plan, by=town.clerk_of(garden), now=town.now)
    town.session.commit()
    begin_by_code(client, town.session)
    enter_the_form(client, town.session, garden)
    other = town.child("安娜")
    town.session.commit()
    assert "/parents/open-days" in client.get("/parents").text
    path = f"/parents/open-days/{day.id}"
    shown = page(client.get(path))
    (child,) = shown.select("[name=child]")
    assert "安娜" not in shown.text
    assert (
        fill_in(
            client, path, path, slot=str(day.slots[0].id), child=child["value"], adults="1", needs="坐轮椅"
        ).status_code
        == 303
    )
    visit = town.session.scalars(select(OpenDayVisit)).one()
    assert visit.needs == "坐轮椅"
    assert len(town.session.scalars(select(Notice).where(Notice.kind == "open_day_booked")).all()) == 1
    stranger = visits.book(
        town.session, day.id, day.slots[0].id, other.child_id, adults=1, needs="",
        by=town.parent_of(other), now=town.now,
    )  # fmt: skip
    town.session.commit()
    token = hidden_fields(client.get("/parents/open-days").text, f"/parents/open-days/visits/{visit.id}/cancel")
    assert client.post(f"/parents/open-days/visits/{stranger.id}/cancel", data=token).status_code == 404
    assert fill_in(client, "/parents/open-days", f"/parents/open-days/visits/{visit.id}/cancel").status_code == 303
    town.session.refresh(visit)
    assert visit.cancelled_at is not None
