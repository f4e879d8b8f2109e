"""Announcements: two languages, an hour, a second person for the city, corrections and withdrawals that stay on record."""

import datetime as dt
from xml.etree import ElementTree

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from enrollment.announcements.rows import Announcement
from enrollment.ground.audit import AuditEntry
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_season import at

DESK = "/officials/2026/announcements"
ATOM = "{http://www.w3.org/2005/Atom}"
WORDS = {
    "title_zh": "锦江区新增 2 个办园点",
    "body_zh": "新增 120 个学位。\n登记时可以填报。",
    "title_en": "Two more sites in Jinjiang",
    "body_en": "120 more places.\nYou can wish for them.",
}


@pytest.fixture
def desk(town, frozen_clock):
    town.kindergarten("锦官园", places=1)
    town.open_registration()
    town.one, town.two = town.city_official(), town.city_official()
    town.here, town.elsewhere = town.area_official("510104"), town.area_official("510105")
    frozen_clock.set(at(5, 22, 9))
    town.session.commit()
    return town


def write(client, area: str, publish_at: str = "2026-05-22T08:00", **words) -> str:
    answer = fill_in(client, f"{DESK}/new", area=area, publish_at=publish_at, **{**WORDS, **words})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def publish(client, page: str, number: int = 1):
    return fill_in(client, page, f"{page}/publish/{number}")


def entries(client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/announcements.atom{query}")
    assert answer.content_type.startswith("application/atom+xml")
    feed = ElementTree.fromstring(answer.data)
    assert feed.find(f"{ATOM}updated").text.endswith("Z")
    return [{each.tag.removeprefix(ATOM): each.text for each in entry} for entry in feed.iter(f"{ATOM}entry")]


def test_an_area_publishes_at_an_hour_in_both_languages(desk, client, another_client, frozen_clock):
    official = sign_in(another_client(), desk.here.account_id)
    page = write(official, "510104", "2026-05-22T12:00")
    public = page.replace(DESK, "/announcements")
    assert "家长看不到" in official.get(page).text
    assert client.get(public).status_code == 404
    assert publish(official, page).status_code == 303
    assert client.get(public).status_code == 404, "not before its hour"
    assert WORDS["title_zh"] not in client.get("/").text
    assert entries(client) == []
    frozen_clock.set(at(5, 22, 12))
    assert WORDS["title_zh"] in client.get("/").text
    assert WORDS["title_en"] in client.get("/?lang=en").text
    shown = client.get(f"{public}?lang=en").text
    assert "<p>120 more places.</p>" in shown
    assert [each["title"] for each in entries(client, "?lang=zh")] == [WORDS["title_zh"]]
    assert [each["title"] for each in entries(client, "?lang=en&area=510104")] == [WORDS["title_en"]]
    assert entries(client, "?area=510105") == []
    assert WORDS["title_zh"] not in client.get("/announcements?area=510105&lang=zh").text
    tag = client.get("/announcements.atom").headers["ETag"]
    assert client.get("/announcements.atom", headers={"If-None-Match": tag}).status_code == 304


def test_only_an_official_of_the_scope_writes(desk, client, another_client):
    official = sign_in(another_client(), desk.here.account_id)
    page = write(official, "510104")
    stranger = sign_in(another_client(), desk.elsewhere.account_id)
    assert stranger.get(page).status_code == 404
    assert fill_in(stranger, f"{DESK}/new", area="510104", publish_at="2026-05-22T08:00", **WORDS).status_code == 200
    assert desk.session.scalar(select(func.count()).select_from(Announcement)) == 1
    assert WORDS["title_zh"] not in stranger.get(DESK).text
    assert "city" not in official.get(f"{DESK}/new").text.split('id="area"')[1].split("</select>")[0]
    city = sign_in(another_client(), desk.one.account_id)
    assert city.get(page).status_code == 200


def test_what_concerns_the_city_takes_a_second_person(desk, client, another_client):
    writer, second = (sign_in(another_client(), each.account_id) for each in (desk.one, desk.two))
    page = write(writer, "city")
    assert "另一位市级人员" in writer.get(page).text
    assert f"{page}/publish/1" not in writer.get(page).text
    by_hand = writer.post(f"{page}/publish/1", data=hidden_fields(writer.get(page).text))
    assert "需要另一位来决定" in by_hand.text
    assert publish(second, page).status_code == 303
    assert WORDS["title_zh"] in client.get("/").text
    desk.session.expire_all()
    acts = set(desk.session.scalars(select(AuditEntry.act).where(AuditEntry.subject == "announcement")))
    assert acts == {"write_announcement", "publish_announcement"}
    forged = text("UPDATE announcement_version SET approved_by = written_by")
    with pytest.raises(IntegrityError, match="second_person"):
        desk.session.execute(forged)
    desk.session.rollback()


def test_a_correction_stands_beside_what_was_said_before(desk, client, another_client, frozen_clock):
    official = sign_in(another_client(), desk.here.account_id)
    page = write(official, "510104")
    public = page.replace(DESK, "/announcements")
    publish(official, page)
    before = entries(client)[0]
    frozen_clock.move(hours=1)
    stale = official.get(f"{page}/correct")
    assert stale.status_code == 200
    fill_in(official, f"{page}/correct", publish_at="2026-05-22T08:00", **{**WORDS, "body_zh": "新增 90 个学位。"})
    assert "120 个学位" in client.get(public).text, "not before it is published"
    publish(official, page, 2)
    shown = client.get(public).text
    assert "新增 90 个学位" in shown
    assert "120 个学位" in shown
    assert "更正过" in shown
    after = entries(client)[0]
    assert after["id"] == before["id"]
    assert dt.datetime.fromisoformat(after["updated"]) > dt.datetime.fromisoformat(before["updated"])
    assert after["published"] == before["published"]


def test_two_who_correct_at_once_lose_nothing(desk, client, another_client):
    official, other = (sign_in(another_client(), each.account_id) for each in (desk.here, desk.one))
    page = write(official, "510104")
    typed = {"publish_at": "2026-05-22T08:00", **WORDS}
    assert fill_in(official, f"{page}/correct", **{**typed, "title_zh": "甲写的"}).status_code == 303
    answer = fill_in(other, f"{page}/correct", based_on="1", **{**typed, "title_zh": "乙写的"})
    assert answer.status_code == 409
    assert 'value="乙写的"' in answer.text
    assert "甲写的" in answer.text
    assert 'name="based_on" type="hidden" value="2"' in answer.text
    assert fill_in(other, f"{page}/correct", **{**typed, "title_zh": "乙写的"}).status_code == 303


def test_a_withdrawn_announcement_says_why(desk, client, another_client):
    official = sign_in(another_client(), desk.here.account_id)
    page = write(official, "510104")
    public = page.replace(DESK, "/announcements")
    publish(official, page)
    assert "请填写" in fill_in(official, page, f"{page}/withdraw", reason="").text
    assert fill_in(official, page, f"{page}/withdraw", reason="办园点未通过验收").status_code == 303
    shown = client.get(public).text
    assert "办园点未通过验收" in shown
    assert "撤回前的内容" in shown
    assert WORDS["title_zh"] not in client.get("/").text
    entry = entries(client)[0]
    assert entry["title"] == f"已撤回：{WORDS['title_zh']}"
    assert entry["content"] == "办园点未通过验收"
    assert desk.session.scalars(select(Announcement.withdraw_reason)).all() == ["办园点未通过验收"]
    assert f"{page}/correct" not in official.get(page).text
