"""The public pages at 390 px and 1280 px in both languages are accessible and do not scroll horizontally."""

import pytest
from playwright.sync_api import expect

from tests.support.axe import assert_axe_clean, axe_faults

PAGES = ("/", "/check", "/kindergartens", "/coverage", "/help", "/sign-in", "/audit-heads")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("phone", [True, False], ids=["390 px", "1280 px"])
def test_public_pages(new_page, phone, language):
    page = new_page(phone=phone, language=language)
    for path in PAGES:
        page.goto(f"{path}?lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("h1")).to_be_visible()
        assert_axe_clean(page)


def test_axe_reports_a_known_violation(new_page):
    """The checker works: it reports an image without alternative text."""
    page = new_page()
    page.goto("/help")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any("image-alt" in fault for fault in axe_faults(page))


def test_chinese_characters_have_glyphs(new_page):
    """Two different characters have different images; without a font both are the same box."""
    page = new_page()
    page.goto("/help")
    pictures = []
    for character in "志愿":
        page.evaluate(f"document.querySelector('main').textContent = '{character}'")
        pictures.append(page.locator("main").screenshot())
    assert pictures[0] != pictures[1]
