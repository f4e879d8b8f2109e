"""The days after the draw on a phone and at a desk, in both languages: waiting, supplementary round, answer, appeal, transfer."""

import datetime as dt
import uuid
from dataclasses import dataclass

import pytest

from enrollment.chances import giving_up, movement, movement_market
from enrollment.chances.giving_up import Count, Phases
from enrollment.draw import round_opening
from enrollment.ground.accounts import Actor
from tests.browser.people.waiting_parent import WaitingParent
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.town import Town
from tests.support.town_season import at

HOT, SECOND, FREE, FAR = "锦江区机关第一幼儿园", "锦官新城幼儿园", "九眼桥童乐幼儿园", "望江竹里幼儿园"


@dataclass
class Drawn:
    """The session keys of the two families, the planned supplementary round, and an official of the city."""

    waits: str
    placed: str
    extra: uuid.UUID
    official: Actor


@pytest.fixture
def drawn(site, now, monkeypatch):
    """One child has the first place, 林小满 its second wish, 陈一禾 nothing; near 陈一禾 two kindergartens have places left."""
    counted = [Phases(2025, Count(40, 200), Count(16, 160))]
    monkeypatch.setattr(giving_up, "earlier_years", lambda session, year: counted)
    with site.session() as session, session.begin():
        town = Town(session, now)
        hot = town.kindergarten(HOT, places=1, longitude=104.08, latitude=30.64)
        second = town.kindergarten(SECOND, places=1, longitude=104.09, latitude=30.64)
        town.kindergarten(FREE, places=3, nature="inclusive", fee=980, longitude=104.087, latitude=30.645)
        town.kindergarten(FAR, places=11, longitude=104.11, latitude=30.63)
        town.open_registration()
        officer = town.account_of_staff("jinjiang", "何老师", "area_official", area_code="510104")
        officer.desk_phone = "028-0000 0126"
        first = town.child("周星遥", wishes=[hot])
        placed = town.child("林小满", wishes=[hot, second])
        waits = town.child("陈一禾", wishes=[hot, second], home_longitude=104.085, home_latitude=30.642)
        town.drawn(first, placed, waits)
        town.at(town.now + dt.timedelta(hours=2))
        made = movement_market.read(session, town.the_round.id, now=town.now)
        movement.save(session, made, movement.replay(made))
        keys = [signed_in_key(session, town.parent_of(each).account_id) for each in (waits, placed)]
        extra = town.round(kind="supplementary")
        found = Drawn(*keys, extra.id, town.city_pair()[0])
    site.set_time(town.now)
    return found


@pytest.fixture
def parent(new_page, site):
    """A function that gives the phone, or the wide screen, of the family with this session."""

    def sits_down(key: str, *, phone: bool = True) -> WaitingParent:
        page = new_page(phone=phone)
        page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
        return WaitingParent(page)

    return sits_down


def test_a_family_without_a_place_reads_what_comes_next_and_nobody_is_left_with_a_hotline(drawn, parent):
    waiting = parent(drawn.waits)
    waiting.finds_the_result()
    waiting.is_at("这一批还没有学位，下一次机会是 6月15日")
    waiting.reads_the_leaf("6 月", "15", "星期一 9:00")
    waiting.looks_closely()
    assert waiting.vacancies() == [FREE, FAR]
    waiting.reads("步行约 7 分钟", "空 3 个", "空 11 个", "空位数截至")
    first, second = waiting.line()
    assert HOT in first and "候补排在第 2 位" in first and "到 6月9日轮到" in first and "/ 100" in first
    assert SECOND in second and "候补排在第 1 位" in second and "到 8月31日轮到" in second
    waiting.reads("按 2025 年的家庭估算有多少会放弃", "100 次模拟递补里轮到的次数，截至")
    assert "何老师" in waiting.officer() and "028-0000 0126" in waiting.officer()
    waiting.reads("一直没有会怎样？", "区里替您家找空位", "到园报到、体检")
    waiting.prints("028-0000 0126", "没有录取：您家是第")
    file = waiting.calendar_file()
    assert "DTSTART:20260615T010000Z" in file and "DTEND:20260619T100000Z" in file and "陈一禾" not in file
    waiting.appeals("派位时第 2 优先级没有算上，请核实。")
    waiting.is_at("申诉回执")
    waiting.reads("何老师", "派位时第 2 优先级没有算上，请核实。")
    waiting.looks_closely()


def test_the_supplementary_round_is_entered_from_the_places_near_home(drawn, site, parent):
    with site.session() as session, session.begin():
        round_opening.open_round(session, drawn.extra, by=drawn.official, now=at(6, 15, 10))
    site.set_time(at(6, 15, 10))
    waiting = parent(drawn.waits)
    waiting.finds_the_result()
    waiting.is_at("这一批还没有学位，现在可以填补录")
    waiting.reads_the_leaf("6 月", "19")
    waiting.adds_near_home(FREE)
    waiting.reads("已加为第 1 志愿。", FREE)
    waiting.looks_closely()
    waiting.finds_the_result()
    waiting.reads("补录的志愿已经收到", "已是第 1 志愿")
    waiting.looks_closely()


def test_a_placed_family_confirms_and_waits_with_a_receipt_and_later_asks_for_another_kindergarten(drawn, parent):
    placed = parent(drawn.placed)
    placed.finds_the_result()
    placed.reads_the_leaf("6 月", "9", "星期二 18:00")
    assert "DTEND:20260609T100000Z" in placed.calendar_file()
    placed.answers("确认并候补", "确认并候补")
    placed.reads("已确认，并候补更靠前的志愿。", "您家在候补更靠前的志愿", "到 6月9日轮到")
    placed.looks_closely()
    assert "DTSTART:20260820T010000Z" in placed.calendar_file()
    placed.follows("确认，并候补更靠前的志愿")
    placed.is_at("录取答复回执")
    placed.page.go_back()
    placed.asks_for_another_kindergarten("搬到了武侯区，想转到离家近的幼儿园。")
    placed.is_at("转园申请回执")
    placed.reads("已经收到", "何老师")
    placed.looks_closely()
