"""The page without a network: what is kept on the phone, what has come, and how it is wiped."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_uploads_and_drafts import draft, open_as, until, until_stored
from tests.support.axe import assert_axe_clean

__all__ = ["draft"]

WORDS = {
    "zh-CN": ("没有网络，您填的都还在", "没有网络", "户籍与住址", "1 项", "送到了才算数。", "删掉手机上的", "手机里能存多久", "小区"),
    "en": (
        "No network; what you filled in is still here", "No network", "Hukou and home", "1", "It counts when it is delivered.",
        "Delete what is on the phone", "How long the phone keeps it", "Estate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", WORDS)
def test_a_dead_line_shows_what_is_kept_and_wipes_it(site, draft, new_page, language):
    heading, nothing, household, items, counts, wipe, how_long, estate = WORDS[language]
    key, address = draft
    page = open_as(new_page, site, key, phone=True, language=language, worker=True)
    page.goto(f"/?lang={language[:2]}")
    page.goto(f"{address}/household")
    page.get_by_label(estate, exact=True).fill("锦官新城")
    until_stored(page, 1)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    until(page, "navigator.serviceWorker.controller")
    page.context.set_offline(True)
    page.goto(f"{address}/wishes")
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    waits = page.locator("[data-list=waits]")
    expect(waits).to_contain_text(household)
    expect(waits.locator("[data-count]")).to_have_text(items)
    expect(page.locator("main")).to_contain_text(counts)
    assert "锦官新城" not in page.content() and "李沐晨" not in page.content(), "the copy is nobody's"
    assert_axe_clean(page)
    page.context.set_offline(False)
    page.wait_for_url(f"**{address}/wishes")
    expect(page.locator("#wishes")).to_be_visible(timeout=60_000)
    page.goto("/offline")  # from the server, with the account: it leads to the page that waits
    expect(waits.get_by_role("link", name=household)).to_have_attribute("href", f"{address}/household")
    assert_axe_clean(page)
    assert page.locator("h1").bounding_box()["width"] > 200, "the heading has the whole line beside its picture"
    page.get_by_text(how_long).click()
    with page.expect_navigation():
        page.get_by_role("button", name=wipe).click()
    until_stored(page, 0)
    page.context.set_offline(True)
    found = page.get_by_role("heading", level=1, name=nothing, exact=True)
    for _look in range(
        5
    ):  # the wiped page has a new worker, to which Chromium says a little later that the line is dead
        page.goto(f"{address}/household")
        if found.is_visible():
            break
        page.wait_for_timeout(1000)
    expect(found).to_be_visible()
    expect(page.locator("#on-this-phone")).to_be_hidden()
