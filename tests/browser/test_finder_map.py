"""Clusters of the finder's map at 390 px: none stands on another, each opens to its pins by a tap and by the keyboard alone."""

import itertools
import math
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people.searcher import Searcher
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

CLOSE = [(104.0800, 30.6500), (104.0801, 30.6501), (104.0803, 30.6499), (104.0802, 30.6502)]
"""Four within forty metres; a fifth has the point of the first, as two sites of one house have."""

FAR = [(104.20, 30.70), (103.95, 30.60), (104.06, 30.75)]
STILL = "() => !document.querySelector('.leaflet-zoom-anim, .leaflet-pan-anim')"
NATURES = {"zh-CN": ("公办", "普惠性民办"), "en": ("Public", "Inclusive private")}


@pytest.fixture
def city(site, now) -> None:
    with site.session() as session, session.begin():
        town = Town(session, now)
        for number, (longitude, latitude) in enumerate([*CLOSE, CLOSE[0], *FAR], 1):
            nature = "public" if number % 2 else "inclusive"
            town.kindergarten(
                f"第{number}幼儿园",
                code=f"510104000{number}",
                nature=nature,
                places=30,
                longitude=longitude,
                latitude=latitude,
            )
        town.open_registration()


def marks(page: Page) -> list[tuple[str, dict]]:
    """Each mark of the map by its name, with its box on the screen."""
    page.wait_for_function(STILL)
    found = page.locator(".leaflet-marker-icon").all()
    return [(each.get_attribute("title"), each.bounding_box()) for each in found]


def count_of(name: str) -> int:
    """The pins behind a mark: «5 所，按一下放大» or «3 · 公办»."""
    return int(re.match(r"\d+", name)[0]) if "·" not in name else 1


def apart(one: dict, other: dict) -> float:
    """Pixels between the middles of two marks of 44 pixels."""
    return math.hypot(one["x"] - other["x"], one["y"] - other["y"])


def check(page: Page, pins: int | None = None) -> list[str]:
    """The names of all marks; no two of them stand nearer than a thumb is wide."""
    found = marks(page)
    for (_, one), (_, other) in itertools.combinations(found, 2):
        assert apart(one, other) >= 44, found
    if pins is not None:
        assert sum(count_of(name) for name, _ in found) == pins
    return [name for name, _ in found]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_cluster_opens_to_pins_that_a_thumb_can_tap(city, new_page, language):
    page = new_page(phone=True, language=language)
    reader = Searcher(page)
    reader.opens_the_finder(f"?lang={language[:2]}")
    reader.opens_the_map()
    names = check(page, 8)
    (cluster,) = (name for name in names if "·" not in name)
    assert cluster == ("5 所，按一下放大" if language == "zh-CN" else "5 kindergartens, press to zoom in")
    assert_axe_clean(page)
    for _ in range(6):
        groups = page.locator(".leaflet-marker-icon:has(.group)")
        if not groups.count():
            break
        groups.first.click()
        check(page)
    natures = NATURES[language]
    assert {f"{number} · {natures[number % 2 == 0]}" for number in range(1, 6)} <= set(check(page))
    for number in (1, 5):
        reader.taps_the_pin(number)
        expect(page.locator("#pin-card h2")).to_have_text(f"第{number}幼儿园")
        expect(page.locator("#pin-card")).to_be_in_viewport(ratio=0.2)
    expect(page.locator(".mark.chosen")).to_have_text("5")
    page.locator(".leaflet-control-zoom-out").click()
    page.locator(".leaflet-control-zoom-in").click()
    page.wait_for_function(STILL)
    expect(page.locator(".mark.chosen")).to_have_text("5")
    assert_axe_clean(page)


def test_a_cluster_opens_by_the_keyboard_and_the_focus_stays_with_its_pins(city, new_page):
    page = new_page(phone=True)
    page.goto("/kindergartens?view=map")
    expect(page.locator("#map[data-drawn='8']")).to_be_visible()
    page.locator(".leaflet-marker-icon:has(.group)").focus()
    for _ in range(6):
        page.keyboard.press("Enter")
        page.wait_for_function(STILL)
        page.wait_for_function("() => document.activeElement.matches('.leaflet-marker-icon')")
        if not page.evaluate("document.activeElement.querySelector('.group')"):
            break
    name = page.evaluate("document.activeElement.title")
    page.keyboard.press("Enter")
    expect(page.locator("#pin-card h2")).to_have_text(f"第{name.split(' ')[0]}幼儿园")
