"""The public pages at 390 px and 1280 px, in both languages: nothing keeps anybody out, nothing scrolls sideways."""

import pytest
from playwright.sync_api import expect

from tests.support.axe import assert_axe_clean, axe_faults

PAGES = ("/", "/check", "/kindergartens", "/coverage", "/help", "/sign-in")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("phone", [True, False], ids=["390 px", "1280 px"])
def test_public_pages(new_page, phone, language):
    page = new_page(phone=phone, language=language)
    for path in PAGES:
        page.goto(f"{path}?lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1")).to_be_visible()
        assert_axe_clean(page)


def test_axe_finds_a_planted_fault(new_page):
    """The tool itself is looked at: an image without words is found."""
    page = new_page()
    page.goto("/help")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any("image-alt" in fault for fault in axe_faults(page))


def test_chinese_is_drawn_in_a_real_font(new_page):
    """Two different characters look different: without a font both are the same box."""
    page = new_page()
    page.goto("/help")
    pictures = []
    for character in "志愿":
        page.evaluate(f"document.querySelector('main').textContent = '{character}'")
        pictures.append(page.locator("main").screenshot())
    assert pictures[0] != pictures[1]
