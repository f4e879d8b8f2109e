"""Appearance in a real browser: width, dark mode, large text, no scripts, the map, the chart, double clicks."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.reads_as_well import dark_and_large, reads_as_well
from tests.support.chromium import PHONE
from tests.support.counted_city import CountedCity

WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PAGES = ("/", "/kindergartens", "/coverage", "/help", "/privacy", "/accessibility", "/sign-in", "/nowhere")


@pytest.fixture
def city(site):
    with site.session() as session, session.begin():
        city = CountedCity(session)
        city.kindergarten("public", {"lower": 300}, code="K0001", name="锦官新城幼儿园", fee=600, street="盐市口街道")
        city.kindergarten("inclusive", {"middle": 200}, area_code="510107")
        city.kindergarten("private", {"upper": 100}, area_code="GXQ")
        city.targets()
    return city


@pytest.mark.parametrize(
    ("width", "language", "size"),
    [(320, "en", "large"), (390, "zh-CN", "normal"), (390, "en", "normal"), (1280, "en", "large")],
)
def test_no_page_scrolls_horizontally_at_any_width_or_text_size(new_page, city, width, language, size):
    page = new_page(language=language)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"/text-size?size={size}")
    for path in (*PAGES, "/kindergartens/K0001"):
        page.goto(f"{path}?lang={language[:2]}")
        assert page.evaluate(WIDTH) == 0, path


@pytest.mark.parametrize("phone", [True, False], ids=["390 px", "1280 px"])
def test_dark_mode_and_large_text_are_as_accessible(new_page, city, phone):
    page = new_page(phone=phone)
    dark_and_large(page)
    expect(page.locator("html")).to_have_class("large")
    for path in (*PAGES, "/kindergartens/K0001"):
        reads_as_well(page, path)


def test_a_tap_on_the_map_shows_the_figures_of_the_area(phone, city):
    phone.goto("/coverage")
    phone.locator("svg.sketch [data-summary^='武侯区']").tap(force=True)
    expect(phone.locator("[data-summary-output]")).to_contain_text("武侯区：公办 0.00%，普惠 100.00%")


def test_the_chart_is_loaded_when_it_scrolls_into_view(desk, city):
    """The console stays clean: the content policy allows all that the chart does."""
    asked = []
    desk.on("request", lambda request: asked.append(request.url))
    desk.goto("/coverage")
    chart = desk.locator("[data-chart]")
    chart.scroll_into_view_if_needed()
    expect(chart.locator("svg")).to_be_visible()
    expect(chart).to_contain_text("锦江区")
    expect(chart).to_contain_text("51%")
    assert [url for url in asked if "echarts" in url]


def test_a_chart_that_was_not_drawn_is_no_empty_frame_on_paper(desk, city):
    desk.goto("/coverage")
    card = desk.locator("[data-chart-card]")
    expect(card).not_to_have_class(re.compile("drawn"))
    expect(card).to_be_visible()
    desk.emulate_media(media="print")
    expect(card).to_be_hidden()
    desk.emulate_media(media="screen")
    card.scroll_into_view_if_needed()
    expect(card.locator("svg")).to_be_visible()
    desk.emulate_media(media="print")
    expect(card).to_be_visible()


def test_a_family_page_does_not_fetch_the_charts_library(desk, city):
    asked = []
    desk.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/kindergartens", "/help"):
        desk.goto(path)
    assert not [url for url in asked if "echarts" in url]


def test_all_content_is_available_without_scripts(browser, site, city):
    context = browser.new_context(**PHONE, base_url=site.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/coverage")
    expect(page.locator("table.areas tbody tr")).to_have_count(23)
    expect(page.locator("[data-chart-card]")).to_be_hidden()
    page.goto("/kindergartens")
    page.get_by_label("园名、拼音、街道").fill("锦官")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name="锦官新城幼儿园", exact=True).click()
    expect(page.locator("h1")).to_have_text("锦官新城幼儿园")
    context.close()


def test_the_skip_link_leads_to_the_main_content(desk, city):
    desk.goto("/help")
    desk.keyboard.press("Tab")
    skip = desk.get_by_role("link", name="跳到正文")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    desk.keyboard.press("Enter")
    expect(desk.locator("main")).to_be_focused()


def test_a_form_with_errors_moves_the_focus_to_the_summary(phone, city):
    phone.goto("/sign-in")
    phone.locator("main form button").first.click()
    summary = phone.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    expect(phone.locator("#phone")).to_be_focused()


def test_a_double_click_sends_a_form_once(desk, city):
    """The answer is held back so that both clicks meet the same page."""
    desk.goto("/sign-in")
    sent = []
    desk.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    desk.locator("#phone").fill("13900000009")
    desk.locator("main form button").first.dblclick()
    desk.wait_for_url("**/sign-in/code")
    assert len(sent) == 1


def test_print_shows_the_demo_banner_and_no_buttons(desk, city):
    desk.goto("/")
    desk.emulate_media(media="print")
    expect(desk.locator(".demo")).to_be_visible()
    expect(desk.locator("main .btn").first).to_be_hidden()
    expect(desk.locator("header nav")).to_be_hidden()
