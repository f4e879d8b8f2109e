"""The home page follows the calendar: the current and next step, and the main tasks."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup

from portal.text import formats
from tests.support.signing_in import sign_in
from tests.support.town_season import at
from tests.support.worker import let_the_worker_work


def open_page(client, frozen_clock, moment):
    frozen_clock.set(moment)
    return client.get("/?lang=zh").text


def test_before_any_season_the_page_still_leads_to_the_kindergartens(client):
    page = client.get("/").text
    assert "还没有公布今年的日程" in page
    assert 'href="/kindergartens"' in page


def test_during_registration_the_first_button_starts_it(client, town, frozen_clock):
    town.kindergarten("金苹果", places=1)
    town.open_registration()
    town.session.commit()
    page = open_page(client, frozen_clock, at(5, 22, 10))
    assert "2026 年秋季入园<br>正在网上登记" in page
    assert "5月29日 18:00前可随时修改" in page
    assert "开始登记或继续填写" in page
    assert "还有 7 天 8 小时" in page
    assert "5月21–29日" in page


def test_in_the_pause_before_a_step_the_page_says_when_it_begins(client, town, frozen_clock):
    town.season()
    town.session.commit()
    page = open_page(client, frozen_clock, at(5, 18))
    assert "网上登记即将开始" in page
    assert "网上登记从 5月21日 09:00开始" in page
    assert "开始登记或继续填写" not in page


def test_after_the_draw_the_page_asks_to_confirm(client, town, frozen_clock):
    """Result and confirmation are open at once; the one that ends first matters most."""
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    town.drawn(ana)
    town.session.commit()
    page = open_page(client, frozen_clock, at(6, 6))
    assert "请确认是否入园" in page
    assert "到期没有确认视为放弃" in page


def test_a_season_is_not_shown_before_two_people_announced_it(client, town, frozen_clock):
    town.prepared_season()
    town.session.commit()
    assert "2026 年秋季入园" not in open_page(client, frozen_clock, at(5, 22))
    town.announce()
    town.session.commit()
    assert "2026 年秋季入园" in open_page(client, frozen_clock, at(5, 22))


@pytest.mark.parametrize(("moment", "words"), [(at(5, 22), "登记还没有开放"), (at(6, 16), "补录还没有开放")])
def test_fam15_no_day_of_the_calendar_says_that_a_registration_is_open_without_a_round(
    client, town, frozen_clock, moment, words
):
    if moment == at(6, 16):
        town.drawn(town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)]))
    else:
        town.season()
    town.session.commit()
    page = open_page(client, frozen_clock, moment)
    assert words in page and "开始登记或继续填写" not in page
    assert "正在补录登记" not in page and "正在网上登记" not in page


def test_the_hotline_is_the_seasons_own(client, town):
    town.season().hotline = "028-96110"
    town.session.commit()
    assert 'href="tel:02896110"' in client.get("/").text


def test_who_works_here_is_led_to_the_own_desk_and_not_to_a_familys(client, town, frozen_clock):
    town.season()
    clerk, official = town.clerk_of(town.kindergarten("金苹果", places=1)), town.city_pair()[0]
    town.session.commit()
    for who, words, desk in ((clerk, "进入今日工作", "/staff"), (official, "进入管理工作台", "/officials")):
        page = open_page(sign_in(client, who.account_id), frozen_clock, at(6, 6))
        assert words in page and f'href="{desk}"' in page and "查看我的申请和结果" not in page
        assert client.get(desk, follow_redirects=True).status_code == 200


def calendar_tags(page) -> dict[str, str]:
    items = BeautifulSoup(page, "lxml").select(".dates li")
    return {
        item.select_one(".grow").get_text(" ", strip=True).split()[0]: item.select_one(".tag").text for item in items
    }


UNTRUE_BEFORE_A_DRAW = ("可以查询结果了", "请确认是否入园", "名单已经存证", "查看我的申请和结果", "正在补录登记")


def test_on_its_own_days_a_draw_that_has_not_begun_worries_nobody(client, town, frozen_clock):
    town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    town.close_registration()
    town.session.commit()
    for moment in (at(6, 4, 9), at(6, 4, 12), at(6, 4, 17)):
        page = open_page(client, frozen_clock, moment)
        assert "审核已结束，等待抽签" in page and "在 6月4日 进行。名单存证以后，这里会写明。" in page
        for untrue in (*UNTRUE_BEFORE_A_DRAW, "抽签还没有进行", "另行公布", "原定"):
            assert untrue not in page
        assert calendar_tags(page)["公开抽签与派位"] == "还没有开始"
    assert "so once the list is sealed" in client.get("/?lang=en").text


@pytest.mark.parametrize(("month", "day"), [(6, 6), (6, 16), (8, 25), (9, 20)])
def test_no_day_of_the_calendar_says_that_a_draw_is_over_which_was_not_held(client, town, frozen_clock, month, day):
    town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    town.close_registration()
    town.session.commit()
    page = open_page(client, frozen_clock, at(month, day, 12))
    assert "抽签还没有进行" in page and "现在还没有开始，确定的时间在这里公布" in page
    for untrue in UNTRUE_BEFORE_A_DRAW:
        assert untrue not in page
    tags = calendar_tags(page)
    assert tags["公开抽签与派位"] == "时间另行公布"
    assert tags["查询结果"] == "时间另行公布"
    frozen_clock.set(at(month, day, 12))
    client.set_cookie("lang", "en", domain="localhost")
    assert "the draw has not taken place yet" in client.get("/").text


def test_a_draw_without_publication_is_over_and_its_results_are_not_out(client, town, frozen_clock):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
    town.everyone_is_reviewed()
    town.close_registration()
    town.freeze()
    town.seed_in_order(ana)
    town.run()
    town.session.commit()
    page = open_page(client, frozen_clock, at(6, 6))
    assert "结果还没有公布" in page and "可以查询结果了" not in page
    assert calendar_tags(page)["公开抽签与派位"] == "已结束"


def test_drw05_at_the_hour_the_page_says_that_the_result_is_being_opened(client, town, frozen_clock):
    """Not that another hour will be announced: in these seconds the most people look."""
    garden = town.kindergarten("金苹果", places=1)
    ana = town.child("安娜", wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(ana)
    town.sign(town.run())
    town.session.commit()
    page = open_page(client, frozen_clock, at(6, 5, 9))
    assert "结果正在打开" in page and "时间另行公布" not in page and "结果还没有公布" not in page
    assert "The result is being opened" in client.get("/?lang=en").text
    let_the_worker_work(town.session.get_bind(), frozen_clock)
    page = open_page(client, frozen_clock, at(6, 5, 9))
    assert "结果正在打开" not in page and "查看我的申请和结果" in page


@pytest.mark.parametrize(
    ("hours", "chinese", "english"),
    [
        (183.5, "7 天 15 小时", "7 days 15 hours"),
        (72.1, "3 天", "3 days"),
        (47.9, "47 小时", "47 hours"),
        (1.2, "1 小时", "1 hour"),
        (0.9, "不到 1 小时", "less than an hour"),
        (-5, "不到 1 小时", "less than an hour"),
    ],
)
def test_the_time_that_is_left_has_no_part_that_is_none(app, now, hours, chinese, english):
    until = now + dt.timedelta(hours=hours)
    for language, said in (("zh", chinese), ("en", english)):
        with app.test_request_context(f"/?lang={language}"):
            assert formats.time_left(until, now) == said


def test_a_short_span_fits_below_a_step_of_the_season(app):
    spans = [(at(5, 21), at(5, 25, 17)), (at(8, 28), at(9, 10)), (at(6, 4), at(6, 4, 18))]
    for language, said in (("zh", ["5/21–25", "8/28–9/10", "6/4"]), ("en", ["21–25 May", "28 Aug–10 Sep", "4 Jun"])):
        with app.test_request_context(f"/?lang={language}"):
            assert [formats.short_span(*each) for each in spans] == said
