"""The desk of the two shares and the laboratory, act by act at 1280 px: an area answers its alarm, two set a target, a study is
asked, drawn by the worker and read in English."""

import pytest

from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.domain.coverage.test_forecast import write_past
from tests.support.axe import assert_axe_clean
from tests.support.counted_city import CountedCity
from tests.support.crowd import crowd
from tests.support.town import Town

COVERAGE, LIST = "/officials/2026/coverage", "/officials/2026/laboratory"


@pytest.fixture
def shares(site, now):
    """An area below both targets; its official and two of the city."""
    with site.session() as session, session.begin():
        town, city = Town(session, now), CountedCity(session)
        city.targets()
        city.kindergarten("public", {"lower": 60, "middle": 50, "upper": 40}, name="锦绣园")
        city.kindergarten("private", {"lower": 40, "middle": 50, "upper": 60}, name="小园")
        write_past(session, 2008)
        people = (town.area_official("510104"), town.city_official("c1"), town.city_official("c2"))
        return [signed_in_key(session, each.account_id) for each in people]


def open_as(new_page, site, key, language="zh-CN"):
    page = new_page(language=language)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    return page


def test_an_area_answers_its_alarm_and_two_set_the_target_of_the_next_year(new_page, site, shares):
    area = open_as(new_page, site, shares[0])
    area.goto(f"{COVERAGE}/510104?lang=zh")
    area.get_by_text("填报措施：谁、做什么、什么时候以前").click()
    area.get_by_label("公办占比").first.check()
    area.locator("[name=owner]").fill("学前科")
    area.locator("[name=measure]").fill("认定两所普惠园")
    area.locator("[name=due_on]").fill("2026-06-30")
    with another_page(area):
        area.get_by_role("button", name="填报措施").click()
    assert_axe_clean(area)
    first = open_as(new_page, site, shares[1])
    first.goto(f"{COVERAGE}?lang=zh")
    assert "认定两所普惠园" in first.locator("#alarms").inner_text()
    first.goto(f"{COVERAGE}/targets/2027")
    first.locator("[name=public]").fill("52")
    first.locator("[name=inclusive]").fill("82.5")
    first.locator("[name=in_force_from]").fill("2027-01-01")
    first.locator("[name=source_name]").fill("2027 年工作计划")
    first.locator("[name=source_date]").fill("2026-05-20")
    with another_page(first):
        first.locator("form:has([name=source_name]) button[type=submit]").click()
    assert "等待第二人签署" in first.locator("main").inner_text()
    assert_axe_clean(first)
    second = open_as(new_page, site, shares[2], "en")
    second.goto(f"{COVERAGE}/targets/2027?lang=en")
    with another_page(second):
        second.locator("form[action$='/sign'] button").click()
    assert "82.5%" in second.locator("main").inner_text()
    assert_axe_clean(second)


def test_a_study_is_asked_drawn_and_read(new_page, site, now, workers):
    with site.session() as session, session.begin():
        town = Town(session, now)
        hot, quiet = town.kindergarten("锦官", places=20), town.kindergarten("青羊", places=40)
        town.open_registration()
        crowd(town, 50, hot, quiet)
        key = signed_in_key(session, town.city_pair()[0].account_id)
    page = open_as(new_page, site, key)
    page.goto(f"{LIST}?lang=zh")
    page.locator("[name=name]").fill("报一所还是排序")
    page.locator("[name=draws]").fill("30")
    with another_page(page):
        page.locator("form:has([name=draws]) button[type=submit]").click()
    with another_page(page):
        page.get_by_role("button", name="开始抽").click()
    page.get_by_text("谁变好、谁变差").first.wait_for(timeout=180_000)
    assert_axe_clean(page)
    page.goto(f"{page.url.split('?')[0]}?lang=en")
    assert_axe_clean(page)
    assert page.locator("svg.behaviour").count()
