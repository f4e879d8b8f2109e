"""The family's home page after the result: the place, the answer, and only steps that will come."""

import datetime as dt

import pytest

from enrollment.ground.city_time import CHENGDU
from enrollment.offers import offer_lifecycle, offers
from tests.portal.parents.desk import page
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.town_season import at


@prepared
def published(town, frozen_clock):
    first, second = (town.kindergarten(name, places=1) for name in ("金苹果", "牡丹"))
    town.ana = town.child("安娜", wishes=[first, second])
    town.two = town.family("王")
    town.ben = town.child("本本", family=town.two, wishes=[second])
    town.child("次次", family=town.two, submit=False)
    town.drawn(town.ana, town.ben)
    town.session.commit()
    frozen_clock.set(town.now)
    return town


def steps(client, application) -> list[str]:
    shown = page(client.get(f"/parents/applications/{application.id}"))
    return [step.get_text("|", strip=True) for step in shown.select(".timeline li")]


def test_an_open_offer_stands_with_its_place_and_what_to_do(client, published):
    client = sign_in(client, published.ana.entered_by)
    shown = page(client.get("/parents"))
    assert shown.select_one(".lead .tag").get_text(strip=True) == "待确认"
    assert "金苹果" in shown.select_one("section.card.now").get_text()
    listed = steps(client, published.ana)
    assert [step.partition("|")[0] for step in listed][-4:] == [
        "公开抽签与派位",
        "查询结果",
        "确认入园",
        "到园报到、体检",
    ]
    assert listed[-3].endswith("|金苹果")


def test_a_confirmed_place_stays_on_the_page_until_the_arrival(client, published, frozen_clock):
    town = published
    offer = town.offer_for(town.ana)
    offers.confirm(town.session, offer.id, wait=False, by=town.parent_of(town.ana), now=town.now)
    town.session.commit()
    client = sign_in(client, town.ana.entered_by)
    assert [step.partition("|")[0] for step in steps(client, town.ana)][-2:] == ["已确认入园", "到园报到、体检"]
    assert "金苹果" in client.get("/parents").text


@pytest.mark.parametrize(("state", "word"), [("declined", "已放弃"), ("expired", "未按时确认")])
def test_a_place_given_up_ends_the_timeline_and_promises_no_arrival(client, published, frozen_clock, state, word):
    town = published
    offer = town.offer_for(town.ana)
    if state == "declined":
        offers.decline(town.session, offer.id, by=town.parent_of(town.ana), now=town.now)
    else:
        offer.state, offer.ended_at = "expired", town.now
    town.session.commit()
    frozen_clock.set(town.now + dt.timedelta(days=50))
    client = sign_in(client, town.ana.entered_by)
    shown = client.get("/parents")
    assert page(shown).select_one(".lead .tag").get_text(strip=True) == word
    assert steps(client, town.ana)[-1].partition("|")[0] == word
    for text in (shown.text, client.get(f"/parents/applications/{town.ana.id}/result").text):
        assert "2026 年现在没有计划补录" in text and "请联系锦江区教育局" in text
        assert "填写志愿" not in text


def test_two_children_each_stand_with_their_own_place(client, published):
    client = sign_in(client, published.two.account)
    cards = [card.get_text("|", strip=True) for card in page(client.get("/parents")).select("main section.card")]
    mine = next(card for card in cards if "本本" in card)
    assert "待确认" in mine and "牡丹" in mine and "查看结果" in mine
    assert f"请在 {words_of(published.offer_for(published.ben).answer_by)} 前答复。" in mine
    missed = next(card for card in cards if "次次" in card)
    assert "未提交" in missed and "继续" not in missed


def test_the_minutes_after_the_deadline_say_what_becomes_of_the_place(client, published, frozen_clock):
    frozen_clock.set(published.offer_for(published.ana).answer_by)
    mine = sign_in(client, published.ana.entered_by).get("/parents")
    assert page(mine).select_one(".lead .tag").get_text(strip=True) == "确认时间已过"
    result = client.get(f"/parents/applications/{published.ana.id}/result")
    two = sign_in(client, published.two.account).get("/parents")
    for shown in (mine, result, two):
        text = page(shown).select_one("main").get_text()
        assert "没有确认的学位让给下一个孩子" in text and "待确认" not in text and "请在" not in text


def test_before_the_draw_the_timeline_says_that_it_was_not_held_whatever_the_calendar_says(client, town, frozen_clock):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    town.close_registration()
    town.session.commit()
    frozen_clock.set(at(6, 6))
    client = sign_in(client, ana.entered_by)
    shown = page(client.get(f"/parents/applications/{ana.id}"))
    listed = [step.get_text("|", strip=True) for step in shown.select(".timeline li")]
    assert listed[-4:-1] == [
        "公开抽签与派位|还没有进行，时间另行公布",
        "查询结果|还没有公布，时间另行公布",
        "确认入园|结果公布以后，时间另行公布",
    ]
    assert shown.select(".timeline li.now") == []


@pytest.mark.parametrize(
    ("lang", "asked", "got", "waits", "none"),
    [
        ("zh", "正在登记", "志愿已经收到", "您家的志愿参加这一批派位。结果公布时会发消息告诉您。", "没有计划补录"),
        ("en", "is open", "your wishes are in", "Your wishes take part in its draw.", "No supplementary round"),
    ],
)
def test_the_home_says_when_the_wishes_of_the_supplementary_round_are_in(
    client, published, frozen_clock, lang, asked, got, waits, none
):
    """And goes on to say it after the deadline, until the result is out."""
    town = published
    offers.decline(town.session, town.offer_for(town.ana).id, by=town.parent_of(town.ana), now=town.now)
    town.round(kind="supplementary")
    town.open_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, town.ana.entered_by)
    before = page(client.get(f"/parents?lang={lang}")).main.get_text(" ", strip=True)
    assert asked in before and got not in before
    town.wish(town.ana, town.kindergartens_by_name("金苹果")[0], round_=town.the_round)
    town.session.commit()
    after = page(client.get(f"/parents?lang={lang}")).main.get_text(" ", strip=True)
    assert got in after and asked not in after
    assert waits not in after
    town.registration_is_over()
    town.session.commit()
    frozen_clock.set(town.now)
    for path in ("/parents", f"/parents/applications/{town.ana.id}/result"):
        closed = page(client.get(f"{path}?lang={lang}")).main.get_text(" ", strip=True)
        assert waits.split("。")[0] in closed and none not in closed, path


def test_a_child_with_a_place_reads_what_a_wish_of_the_supplementary_round_does(client, published, frozen_clock):
    """The place is kept until a wish comes true; the finder says which kindergartens have a free place now."""
    town = published
    town.round(kind="supplementary")
    town.open_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    client = sign_in(client, town.ana.entered_by)
    assert "孩子已经有学位，不用再填志愿" in client.get("/parents").text
    path = f"/parents/applications/{town.ana.id}/wishes"
    assert "您家在 金苹果 的学位一直保留" in client.get(path).text
    town.kindergarten("玉兰", places=3)
    town.session.commit()
    found = {
        card.h2.get_text(strip=True): card.select_one(".own").get_text(" ", strip=True)
        for card in page(client.get(f"{path}/add")).select("li.kg")
    }
    assert "现在没有空位" in found["金苹果"], "its one place was given in the draw"
    client = sign_in(client, town.ben.entered_by)
    assert "您家在 牡丹 的学位一直保留" in client.get(f"/parents/applications/{town.ben.id}/wishes").text


def test_an_arrived_child_reads_when_it_was_confirmed_and_when_it_arrived(client, published, frozen_clock):
    """Until it has arrived, the page says after the last day that the place is still there, and whom to call."""
    town = published
    offer, clerk = town.offer_for(town.ana), town.clerk_of(town.kindergartens_by_name("金苹果")[0])
    confirmed, over = town.now, at(9, 1, 8)
    offers.confirm(town.session, offer.id, wait=False, by=town.parent_of(town.ana), now=confirmed)
    town.session.commit()
    client = sign_in(client, town.ana.entered_by)
    result = f"/parents/applications/{town.ana.id}/result"
    assert "学位已经是您家的了" in client.get(result).text
    frozen_clock.set(over)
    late = client.get(result).text
    assert "学位还没有收回：要来的、不来的，都请马上联系幼儿园。" in late and "学位已经是您家的了" not in late
    offer_lifecycle.make(town.session, offer, "mark_arrived", by=clerk, now=over)
    town.session.commit()
    assert steps(client, town.ana)[-2:] == [f"已确认入园|{words_of(confirmed)}", f"已报到|{words_of(over)}"]
    assert "撤回申请" not in page(client.get(f"/parents/applications/{town.ana.id}")).main.get_text()


def words_of(when: dt.datetime) -> str:
    local = when.astimezone(CHENGDU)
    return f"{local.month}月{local.day}日 {local:%H:%M}"
