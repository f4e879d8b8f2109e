"""DRW02 on the pages: two officials open a session, a witness without an account enters, the system compares."""

import datetime as dt
import re

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.draw.draws import Draw
from enrollment.draw.seed.witness_rows import SeedEntry
from portal.demo.actors import simulated_witnesses
from tests.support.signing_in import fill_in, hidden_fields, shown_code, sign_in
from tests.support.worker import let_the_worker_work

BALLS = {f"n1_{place}": number for place, number in enumerate(("30", "08", "14", "21", "27", "3"), start=1)}
BEACON = {**BALLS, "n2_1": "６"}
DRAWN = {f"n1_{place}": str(number) for place, number in enumerate((4, 2, 6, 1, 0, 9), start=1)}


@pytest.fixture
def frozen(town, frozen_clock):
    garden = town.kindergarten("金苹果", places=1)
    for name in ("安娜", "本本"):
        town.child(name, wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.session.commit()
    frozen_clock.set(town.now + dt.timedelta(minutes=1))
    return town


@pytest.fixture
def officials(client, another_client, frozen):
    first, second = frozen.city_pair()
    return sign_in(client, first.account_id), sign_in(another_client(), second.account_id)


def room_of(town) -> str:
    return f"/officials/2026/rounds/{town.the_round.id}/draw"


def requested(official, town, part: str, name: str, office: str = "notary", **more: str):
    """The answer to a request for a session."""
    action = f"/officials/2026/rounds/{town.the_round.id}/witnesses/{part}"
    fields = {f"{part}_{field}": value for field, value in ({"name": name, "office": office} | more).items()}
    return fill_in(official, room_of(town), action, **fields)


def link_on(page) -> str:
    assert "qr-box" in page.text, "a phone reads the link from the screen"
    return re.search(r"/witness/[A-Za-z0-9_-]+", page.text)[0]


def approved(official, town) -> str:
    """Approve the one session that waits; the code."""
    page = BeautifulSoup(official.get(room_of(town)).text, "lxml")
    action = page.select_one("form[action$='/approve']")["action"]
    shown = fill_in(official, room_of(town), action)
    return shown_code(shown.text)


def opened(officials, town, browser, part: str, name: str, **more: str) -> str:
    """The address of a session that this browser opened."""
    first, second = officials
    link = link_on(requested(first, town, part, name, **more))
    answer = fill_in(browser, link, f"{link}/code", code=approved(second, town))
    assert answer.status_code == 303 and "核对一遍" in browser.get(link).text
    return link


def entered(browser, link: str, values: dict[str, str]):
    """Type the numbers, read them back, enter them."""
    read_back = fill_in(browser, link, **values)
    assert "请再读一遍" in read_back.text
    answer = browser.post(link, data=hidden_fields(read_back.text, link))
    assert answer.status_code == 303
    return browser.get(link)


def test_drw02_from_the_request_to_the_seed_on_the_pages(officials, another_client, frozen, frozen_clock):
    town, (first, _second) = frozen, officials
    notary, parent = another_client(), another_client()
    for part, values in (("beacon", BEACON), ("ceremony", DRAWN)):
        for browser, name, office in ((notary, "王公证", "notary"), (parent, "李家长", "parent")):
            link = opened(officials, town, browser, part, name, office=office)
            assert "已经录入，谢谢您" in entered(browser, link, values).text
            assert "已经录入，谢谢您" in browser.get(link).text, "the page of a used link"
            if browser is notary:
                hidden = first.get(room_of(town)).text + first.get(f"/draws/{town.the_round.id}").text
                assert (
                    "王公证" in hidden and "3 8 14 21 27 30" not in hidden.partition("李家长")[0]
                ) or part == "ceremony"
                assert "4 2 6 1 0 9" not in hidden
    page = first.get(room_of(town)).text
    assert "3 8 14 21 27 30 + 6" in page and "两人录入相同" in page
    assert fill_in(first, room_of(town), f"/officials/2026/rounds/{town.the_round.id}/seed").status_code == 303
    assert let_the_worker_work(town.session.get_bind(), frozen_clock) == ["done"]
    town.session.expire_all()
    draw = town.session.scalars(select(Draw)).one()
    assert (draw.beacon, draw.ceremony) == ("3 8 14 21 27 30 + 6", "4 2 6 1 0 9")
    public = parent.get(f"/draws/{town.the_round.id}").text
    assert draw.seed in public and "王公证（公证员）" in public and "李家长（家长代表）" in public
    english = parent.get(f"/draws/{town.the_round.id}?lang=en").text
    assert "Both entries agree" in english and "requested by" in english


def test_drw02_faults_stand_beside_the_number_and_nothing_is_entered(officials, another_client, frozen):
    browser = another_client()
    link = opened(officials, frozen, browser, "beacon", "王公证")
    wrong = fill_in(browser, link, **{**BEACON, "n1_1": "34", "n1_2": "8 14", "n1_4": "", "n2_1": "x"})
    page = BeautifulSoup(wrong.text, "lxml")
    assert {each["id"] for each in page.select(".govuk-error-message, [id$=-error]")} >= {
        "n1_2-error",
        "n1_4-error",
        "n2_1-error",
    }
    ranged = BeautifulSoup(fill_in(browser, link, **{**BEACON, "n1_1": "34", "n1_2": "14"}).text, "lxml")
    assert "不在 1–33 之间" in ranged.select_one("#n1_1-error").get_text()
    assert "重复了" in ranged.select_one("#n1_3-error").get_text()
    assert "请再读一遍" not in ranged.get_text()
    token = hidden_fields(browser.get(link).text, link)
    forced = browser.post(link, data={**token, **BEACON, "n1_1": "34", "read": "y"})
    assert "不在 1–33 之间" in forced.text
    assert frozen.session.scalars(select(SeedEntry)).all() == []
    assert (
        "Numbers are" not in browser.get(f"{link}?lang=zh").text
        and "Read them back" in browser.get(f"{link}?lang=en").text
    )


def test_drw02_hostile_uses_of_a_link(officials, another_client, frozen):
    town, (first, second) = frozen, officials
    link = link_on(requested(first, town, "beacon", "王公证"))
    assert "批准，看口令" not in first.get(room_of(town)).text, "who requested does not approve"
    assert "还没有批准" in fill_in(another_client(), link, f"{link}/code", code="12345678").text
    code = approved(second, town)
    assert "工作人员不能替见证人录入" in fill_in(first, link, f"{link}/code", code=code).text
    guesser = another_client()
    assert "口令不对" in fill_in(guesser, link, f"{link}/code", code="12").text
    notary = another_client()
    fill_in(notary, link, f"{link}/code", code=code)
    elsewhere = guesser.get(link).text
    assert "已在另一台手机或电脑上打开" in elsewhere and "n1_1" not in elsewhere
    stale_tab = {**hidden_fields(notary.get(link).text, link), **BEACON, "read": "y"}
    entered(notary, link, BEACON)
    assert "已经录入" in notary.post(link, data=stale_tab).text
    twin = link_on(requested(first, town, "beacon", "李家长"))
    refused = fill_in(notary, twin, f"{twin}/code", code=approved(second, town))
    assert "另一位见证人用的就是这台手机" in refused.text
    assert another_client().get("/witness/nothing").status_code == 404
    assert len(town.session.scalars(select(SeedEntry)).all()) == 1


def test_drw02_a_revoked_session_and_a_name_of_an_official(officials, another_client, frozen):
    town, (first, second) = frozen, officials
    official = town.city_pair()[0].name
    assert "这是工作人员的姓名" in requested(first, town, "beacon", official).text
    assert "请填写见证人的姓名" in requested(first, town, "beacon", " ").text
    link = link_on(requested(first, town, "beacon", "王公证"))
    page = BeautifulSoup(second.get(room_of(town)).text, "lxml")
    assert fill_in(second, room_of(town), page.select_one("form[action$='/revoke']")["action"]).status_code == 303
    assert "已经结束、过期或作废" in another_client().get(link).text
    assert "已作废" in first.get(f"/draws/{town.the_round.id}").text, "the record names it"


def test_drw02_entries_that_differ_are_shown_and_need_a_reason(officials, another_client, frozen):
    town, (first, _second) = frozen, officials
    for name, values in (("王公证", BEACON), ("李家长", {**BEACON, "n2_1": "7"})):
        browser = another_client()
        entered(browser, opened(officials, town, browser, "beacon", name), values)
    page = first.get(room_of(town)).text
    assert "两人录入的不同" in page and "3 8 14 21 27 30 + 6" in page and "3 8 14 21 27 30 + 7" in page
    assert "公布种子，发派位号" not in page
    assert "两人录入不同" in first.get(f"/draws/{town.the_round.id}").text
    assert requested(first, town, "beacon", "王公证").text.count("qr-box") == 0, "no session without a reason"
    link_on(requested(first, town, "beacon", "王公证", reason="家长看错了蓝球"))
    assert "家长看错了蓝球" in first.get(f"/draws/{town.the_round.id}").text


def test_drw02_the_beacon_waits_for_its_time(officials, another_client, town, frozen, frozen_clock):
    first = officials[0]
    by = town.city_pair()[0]
    town.at(frozen_clock.now)
    simulated_witnesses.declare(town.session, town.the_round.id, town.now + dt.timedelta(hours=1), by=by, now=town.now)
    town.session.commit()
    fill_in(first, room_of(town), f"/officials/2026/rounds/{town.the_round.id}/freeze", reason="学位有更正")
    let_the_worker_work(town.session.get_bind(), frozen_clock)
    town.session.expire_all()
    browser = another_client()
    link = link_on(requested(first, town, "beacon", "王公证"))
    fill_in(browser, link, f"{link}/code", code=approved(officials[1], town))
    waits = browser.get(link)
    assert "公开随机数还没有公布" in waits.text and "n1_1" not in waits.text
    frozen_clock.move(hours=1)
    assert "核对一遍" in browser.get(link).text
    public = browser.get(f"/draws/{town.the_round.id}").text
    assert "原来指定的公开随机数已经公布，所以换了新的" in public
