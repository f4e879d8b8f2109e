"""The finder at 390 px: near me and the map in both languages, by keyboard alone, and without scripts until a wish is added."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.browser.another_page import another_page
from tests.browser.people.searcher import Searcher
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support import chromium
from tests.support.axe import assert_axe_clean
from tests.support.crowd import crowd
from tests.support.town import Town

FIRST, SECOND, THIRD = "5101040001", "5101040002", "5101040003"


@dataclass
class City:
    key: str
    application: str


@pytest.fixture
def city(site, now) -> City:
    with site.session() as session, session.begin():
        town = Town(session, now)
        hot = town.kindergarten(
            "锦官新城幼儿园", code=FIRST, places=20, street="锦官驿街道", longitude=104.080, latitude=30.650
        )
        near = town.kindergarten(
            "九眼桥童乐幼儿园", code=SECOND, places=60, nature="inclusive", longitude=104.084, latitude=30.652
        )
        town.kindergarten("郫都区第一幼儿园", code=THIRD, places=300, longitude=104.2, latitude=30.7)
        town.open_registration()
        ana = town.child("陈一禾", wishes=[hot], submit=False, hukou_area="510105")
        crowd(town, 250, hot, near)
        town.estimate_chances()
        return City(signed_in_key(session, ana.entered_by), f"/parents/applications/{ana.id}")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_near_me_on_a_list_and_on_the_map(city, new_page, language):
    page = new_page(phone=True, language=language)
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 104.0803, "latitude": 30.6504})
    reader = Searcher(page)
    reader.opens_the_finder(f"?lang={language}")
    with another_page(page):
        page.locator("[data-near]").click()
    assert page.url.endswith("from=here"), "no point in the address"
    assert next(each["value"] for each in page.context.cookies() if each["name"] == "here") == "104.080,30.650"
    reader.sees("锦官新城幼儿园", "九眼桥童乐幼儿园", "郫都区第一幼儿园")
    reader.narrows("10")
    reader.sees("锦官新城幼儿园", "九眼桥童乐幼儿园")
    reader.opens_the_map()
    reader.taps_the_pin(2)
    expect(page.locator("#pin-card h2")).to_have_text("九眼桥童乐幼儿园")
    page.goto(f"/kindergartens/{FIRST}?from=here")
    assert_axe_clean(page)


def test_by_keyboard_alone(city, new_page):
    page = new_page(phone=True)
    page.goto("/kindergartens")

    def press_on(selector: str) -> None:
        """Tab until the first element of this kind has the focus, then Enter."""
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
                break
        with another_page(page):
            page.keyboard.press("Enter")

    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "q":
            break
    page.keyboard.type("pi dou")
    with another_page(page):
        page.keyboard.press("Enter")
    expect(page.locator(".finds h2 a")).to_have_text(["郫都区第一幼儿园"])
    press_on(".tick")
    press_on(".sticky .btn")
    expect(page.locator(".compared thead th")).to_have_text(["郫都区第一幼儿园"])


def test_without_scripts_until_two_wishes_are_added(city, site, browser):
    context = browser.new_context(
        **chromium.PHONE, **chromium.LANGUAGE["zh-CN"], base_url=site.url, java_script_enabled=False
    )
    context.add_cookies([{"name": "session", "value": city.key, "url": site.url}])
    page = context.new_page()
    page.goto("/kindergartens?q=youeryuan")
    page.locator(".chip").filter(has_text="普惠").click()
    expect(page.locator(".finds h2 a")).to_have_text(["九眼桥童乐幼儿园"])
    with another_page(page):
        page.locator(".heart").click()
    page.goto("/kindergartens?kept=1")
    expect(page.locator(".finds h2 a")).to_have_text(["九眼桥童乐幼儿园"])
    page.locator(".seg a").nth(1).click()
    expect(page.locator("noscript p")).to_contain_text("列表内容一样")
    page.goto(f"{city.application}/wishes/add?q=youeryuan")
    for code, rank in ((SECOND, 2), (THIRD, 3)):
        page.locator(f"#k-{code} button").click()
        expect(page.locator(f"#k-{code} .isin")).to_contain_text(f"已是第 {rank} 志愿")
    assert page.url.startswith(f"{site.url}{city.application}/wishes/add?q=youeryuan"), "it stays in the finder"
    page.locator(".sticky a").click()
    expect(page.locator(".wishes h2 a")).to_have_text(["锦官新城幼儿园", "九眼桥童乐幼儿园", "郫都区第一幼儿园"])
    expect(page.locator(".sticky .total")).to_contain_text("3 所至少录取一所")
    page.get_by_role("button", name="上移 郫都区第一幼儿园").click()
    expect(page.locator(".wishes h2 a").nth(1)).to_have_text("郫都区第一幼儿园")
    context.close()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_pages_of_wishes_are_accessible_with_their_chances(city, site, new_page, language):
    page = new_page(phone=True, language=language)
    page.context.add_cookies([{"name": "session", "value": city.key, "url": site.url}])
    for path in ("/wishes", "/wishes/add"):
        page.goto(f"{city.application}{path}?lang={language}")
        expect(page.locator(".chancebar").first).to_be_visible()
        assert_axe_clean(page)
    page.goto(f"{city.application}/wishes")
    with another_page(page):
        page.locator(".advice button").first.click()
    expect(page.locator(".wishes h2")).to_have_count(2)
