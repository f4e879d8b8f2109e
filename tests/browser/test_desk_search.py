"""The desk's search for a family without a registration code, with a keyboard alone, at two widths and in both languages."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.reads_as_well import SIDEWAYS
from tests.browser.test_the_desk_by_keyboard import LANGUAGES, sits_down
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

__all__ = ["sits_down"]
PHONE = "13900001111"
WIDTHS = {"w": (1280, 900), "m": (390, 844)}
PICTURES = os.environ.get("PICTURES")


@pytest.fixture
def garden(site, now):
    """A family with a draft and an application, and one with an application alone."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        town.garden = town.kindergarten("锦官驿幼儿园", places=5)
        family = town.family("李", phone=PHONE)
        town.ana = town.child("李安娜", family=family, wishes=[town.garden])
        town.child("李伯元", family=family, sex="m", wishes=[town.garden], submit=False)
        town.clerk = town.clerk_of(town.garden)
        town.code, town.born = town.ana.registration_code, town.ana.child.born
        site.set_time(town.now)
    return town


def looks_right(page, name):
    """At both widths nothing lies at the side, and axe finds nothing."""
    for width, (across, down) in WIDTHS.items():
        page.set_viewport_size({"width": across, "height": down})
        assert page.evaluate(SIDEWAYS) <= 0, (name, width)
        assert_axe_clean(page)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_family_without_its_code_is_found_by_keyboard(site, garden, sits_down, language):
    clerk = sits_down(garden.clerk, language, "/staff/desk")
    looks_right(clerk.page, f"desk-{language}")
    clerk.enters("main a[href='/staff/desk/search']")
    looks_right(clerk.page, f"search-{language}")
    clerk.writes_in("#phone", "13900003333")
    clerk.turns("Enter")
    nothing = clerk.page.locator("main [role=status]")
    expect(nothing.locator("li")).to_have_count(3)
    looks_right(clerk.page, f"search-none-{language}")
    clerk.page.locator("#phone").fill("")
    clerk.writes_in("#phone", PHONE)
    clerk.turns("Enter")
    expect(clerk.page.locator("main tbody tr")).to_have_count(2)
    looks_right(clerk.page, f"search-two-{language}")
    clerk.page.locator("#phone").fill("")
    clerk.writes_in("#name", "李安娜")
    clerk.writes_in("#born", f"{garden.born:%Y-%m-%d}")
    clerk.turns("Enter")
    expect(clerk.page.locator("h1")).to_contain_text(garden.code)
    looks_right(clerk.page, f"search-one-{language}")
