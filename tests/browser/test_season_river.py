"""The page of the season at 1280 px, in both languages, with axe: a number opens to its kindergartens."""

import datetime as dt

import pytest

from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def season(site, now):
    """Two areas in the review; one has not begun, and a kindergarten has no plan."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        apple = town.kindergarten("金苹果幼儿园", places=3)
        sun = town.kindergarten("小太阳幼儿园", places=2, area="510107")
        town.kindergarten("没有计划的幼儿园")
        town.open_registration()
        for sign in "甲乙丙丁":
            town.child(f"小{sign}", wishes=[apple])
        for sign in "戊己":
            town.child(f"小{sign}", wishes=[sun])
        key = signed_in_key(session, town.city_pair()[0].account_id)
        moment = town.the_round.closes_at + dt.timedelta(days=3)
    site.set_time(moment)
    return key


@pytest.mark.parametrize(("phone", "language"), [(False, "zh-CN"), (False, "en"), (True, "zh-CN")])
def test_a_number_of_the_season_opens_to_its_kindergartens(new_page, site, season, phone, language):
    page = new_page(phone=phone, language=language)
    page.context.add_cookies([{"name": "session", "value": season, "url": site.url}])
    page.goto(f"/officials/2026/season/river?lang={'en' if language == 'en' else 'zh'}")
    assert_axe_clean(page)
    with another_page(page):
        page.locator('.ready a[href$="/readiness/review"]').click()
    page.get_by_role("rowheader", name="金苹果幼儿园").wait_for()
    assert_axe_clean(page)
    page.go_back()
    with another_page(page):
        page.locator('.ready a[href$="/readiness/plans"]').click()
    page.get_by_role("rowheader", name="没有计划的幼儿园").wait_for()
    assert_axe_clean(page)
    page.goto("/officials/2026/season")
    assert_axe_clean(page)
