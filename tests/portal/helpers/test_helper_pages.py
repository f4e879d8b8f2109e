"""The pages of a community helper: the code, the form on behalf of a family, the receipt to sign, an open day."""

import datetime as dt
import io

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.applications.mandates import Mandate
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.outbox import Notice, TextMessage
from enrollment.open_days import days, visits
from enrollment.open_days.days import DayPlan, SlotPlan
from enrollment.open_days.rows import OpenDayVisit
from enrollment.people.person_rows import Guardian
from tests.portal.helpers.helping import (
    MOTHERS_NUMBER,
    PHONE,
    begin_by_code,
    code_in,
    enter_the_form,
    main_of,
    newest_text,
)
from tests.portal.parents.desk import errors, hidden, page
from tests.portal.parents.test_every_page import open_pages, pages_of
from tests.support.letters import drawn_letter
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in


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
    frozen_clock.move(minutes=1)
    fill_in(client, "/helpers/new", phone=PHONE, agreed="y", registers=["property"])
    sent = town.session.scalars(select(TextMessage).order_by(TextMessage.written_at)).all()
    assert [each.state for each in sent] == ["withheld", "waiting", "waiting"], (
        "of one family only the newest code is sent"
    )


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
