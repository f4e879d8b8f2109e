"""A kindergarten and its families in the browser: an open day is published, booked and cancelled, and a message is sent."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

SHOTS = os.environ.get("SCREENSHOTS")
"""A folder for pictures of the pages."""


def look(page, name):
    assert_axe_clean(page)
    if SHOTS:
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.fixture
def garden(site, now):
    """Two families of one kindergarten at the end of registration; each person has a key of a session."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        here = town.kindergarten("锦官驿幼儿园", places=20)
        town.open_registration()
        children = [town.child(name, wishes=[here]) for name in ("李沐晨", "王小雨")]
        town.registration_is_over()
        site.set_time(town.now)
        people = [town.clerk_of(here), town.head_of(here), *(town.parent_of(each) for each in children)]
        town.clerk_key, town.head_key, *town.families = (signed_in_key(session, each.account_id) for each in people)
        town.code, town.at_id = here.code, here.id
    return town


def opens(site, page, key, path):
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    page.goto(path)
    return page


WORDS = {
    "zh": {
        "publish": "发布", "day": "哪一天", "where": "在哪里集合", "needs": "需要的照顾（可不填）", "book": "预约",
        "full": "约满", "cancel": "取消预约", "see": "看一看", "send": "确认，发给 2 人", "sent": "已交给短信发送，共 2 人。",
        "own": "名称", "zh": "中文", "en": "英文", "add": "加入",
    },
    "en": {
        "publish": "Publish", "day": "Day", "where": "Where to meet", "needs": "What would help (optional)", "book": "Book",
        "full": "filled", "cancel": "Cancel", "see": "Preview", "send": "Confirm and send to 2 people",
        "sent": "Handed over for sending, to 2 people.", "own": "Name", "zh": "Chinese", "en": "English", "add": "Add",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_open_day_from_publishing_to_the_list(site, garden, new_page, language):
    words = WORDS[language]
    desk = opens(site, new_page(), garden.clerk_key, f"/staff/open-days/new?lang={language}")
    desk.get_by_label(words["day"], exact=True).fill("2026-06-13")
    desk.get_by_label(words["where"]).fill("南门")
    desk.locator("#places_0").fill("1")
    look(desk, f"open-day-form-{language}")
    desk.get_by_role("button", name=words["publish"], exact=True).click()
    expect(desk.locator("h1")).to_contain_text("13")
    pages = []
    for key in garden.families:
        family = opens(site, new_page(phone=True), key, f"/kindergartens/{garden.code}?lang={language}")
        if not pages:
            look(family, f"open-day-public-{language}")
        family.locator("#open-days").get_by_role("link", name=words["book"]).click()
        family.get_by_label(words["needs"]).fill("坐轮椅")
        pages.append(family)
    first, second = pages
    look(first, f"open-day-book-{language}")
    first.get_by_role("button", name=words["book"], exact=True).click()
    expect(first.locator("main")).to_contain_text("南门")
    look(first, f"open-day-booked-{language}")
    second.get_by_role("button", name=words["book"], exact=True).click()
    expect(second.locator("main")).to_contain_text(words["full"])
    expect(second.get_by_label(words["needs"])).to_have_value("坐轮椅")
    look(second, f"open-day-full-{language}")
    first.get_by_role("button", name=words["cancel"], exact=True).click()
    expect(first.get_by_role("button", name=words["cancel"], exact=True)).to_have_count(0)
    with another_page(second):
        second.get_by_role("button", name=words["book"], exact=True).click()
    expect(second.get_by_role("button", name=words["cancel"], exact=True)).to_be_visible()
    desk.reload()
    expect(desk.locator("main table")).to_contain_text("王小雨")
    look(desk, f"open-day-{language}")
    desk.goto(desk.url + "/list")
    look(desk, f"open-day-list-{language}")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_message_from_the_heads_text_to_the_inbox(site, garden, new_page, language):
    words = WORDS[language]
    head = opens(site, new_page(), garden.head_key, f"/staff/message-templates?lang={language}")
    head.get_by_label(words["own"], exact=True).fill("家长会")
    head.get_by_label(words["zh"], exact=True).fill("周五 16:00 家长会。")
    head.get_by_label(words["en"], exact=True).fill("Meeting on Friday at 16:00.")
    look(head, f"message-templates-{language}")
    with another_page(head):
        head.get_by_role("button", name=words["add"], exact=True).click()
    desk = opens(site, new_page(), garden.clerk_key, f"/staff/messages/new?lang={language}")
    desk.locator("[name=audience]").first.check()
    desk.get_by_label("家长会").check()
    look(desk, f"message-new-{language}")
    with another_page(desk):
        desk.get_by_role("button", name=words["see"]).click()
    look(desk, f"message-preview-{language}")
    desk.get_by_role("button", name=words["send"]).click()
    expect(desk.locator("main")).to_contain_text(words["sent"])
    desk.goto("/staff/families")
    look(desk, f"families-{language}")
    family = opens(site, new_page(phone=True), garden.families[0], f"/parents/messages?lang={language}")
    expect(family.locator("main")).to_contain_text("周五 16:00 家长会。" if language == "zh" else "Meeting on Friday")
    look(family, f"message-inbox-{language}")
