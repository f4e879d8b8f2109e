"""The families' pages at 390 px and 1280 px with axe, and the help that scripts give: details, dragging, smaller photos."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.applications import wishes
from enrollment.eligibility.evidence import EvidencePage
from tests.browser.another_page import another_page
from tests.browser.reads_as_well import dark_and_large, reads_as_well
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

FORM = [
    "child",
    "household",
    "grounds",
    "evidence",
    "together",
    "wishes",
    "wishes/add",
    "check",
    "tasks",
    "withdraw",
    "invite",
]


@dataclass
class Family:
    """A family whose twins are still drafts, and another child's application that is handed in."""

    key: str
    draft: str
    handed_in: str
    application_id: object
    round_id: object


@pytest.fixture
def family(site, now) -> Family:
    with site.session() as session, session.begin():
        town = Town(session, now)
        gardens = [town.kindergarten(name, places=30) for name in ("机关第一幼儿园", "锦官新城幼儿园", "小蜜蜂幼儿园")]
        li = town.family("李")
        town.round(levels=["lower", "middle"])
        ana, _ben = town.twins("李沐晨", "李沐阳", family=li, bound=False, wishes=gardens, submit=False)
        town.claim(ana, {"elder_sibling": gardens[0]})
        big = town.child("李大", family=li, wishes=[gardens[0]])
        town.wish(big, gardens[1])
        key = signed_in_key(session, li.account.id)
        paths = [f"/parents/applications/{each.id}" for each in (ana, big)]
        return Family(key, paths[0], paths[1], ana.id, town.the_round.id)


def open_as(new_page, site, family, **shape):
    page = new_page(**shape)
    page.context.add_cookies([{"name": "session", "value": family.key, "url": site.url}])
    if shape.get("language") == "en":
        page.context.add_cookies([{"name": "lang", "value": "en", "url": site.url}])
    return page


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en")])
def test_every_page_is_for_everybody(site, family, new_page, phone, language):
    page = open_as(new_page, site, family, phone=phone, language=language)
    paths = [
        "/parents",
        "/parents/consent",
        "/parents/guardian",
        "/parents/messages",
        "/parents/data",
        "/parents/dispute",
    ]
    paths += [family.handed_in, f"{family.handed_in}/receipts/1", *(f"{family.draft}/{name}" for name in FORM)]
    for path in paths:
        page.goto(path)
        assert_axe_clean(page)
        if folder := os.environ.get("PICTURES"):
            name = path.strip("/").replace("/", "-")[-40:]
            page.screenshot(path=Path(folder) / f"{name}-{'m' if phone else 'w'}.png", full_page=True)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_reads_as_well_in_the_dark_in_large_letters_and_on_paper(site, family, new_page, language):
    page = open_as(new_page, site, family, phone=True, language=language)
    dark_and_large(page)
    paths = ["/parents", "/parents/account", "/parents/messages", family.handed_in, f"{family.handed_in}/receipts/1"]
    for path in [*paths, *(f"{family.draft}/{name}" for name in FORM)]:
        reads_as_well(page, path)


def test_a_fault_stands_on_top_and_takes_the_focus(site, family, new_page):
    page = open_as(new_page, site, family, phone=True)
    page.goto(f"{family.draft}/child")
    page.get_by_label("孩子的姓名").fill("")
    page.get_by_role("button", name="保存并继续").click()
    expect(page.get_by_role("alert")).to_contain_text("请填写姓名。")
    page.get_by_role("link", name="请填写姓名。").click()
    expect(page.get_by_label("孩子的姓名")).to_be_focused()
    assert_axe_clean(page)


def test_a_detail_opens_with_its_ground_and_offers_names(site, family, new_page):
    page = open_as(new_page, site, family)
    page.goto(f"{family.draft}/grounds")
    which = page.get_by_label("往年绑定入园：哪所幼儿园")
    expect(which).to_be_hidden()
    page.get_by_label("往年绑定入园", exact=True).check()
    expect(which).to_be_visible()
    which.press_sequentially("锦官")
    expect(page.locator("#kindergartens option")).to_have_count(1)


def test_what_was_typed_is_not_left_behind_without_a_word(site, family, new_page):
    page = open_as(new_page, site, family, phone=True)
    page.goto(f"{family.draft}/household")
    page.get_by_label("小区", exact=True).fill("锦江苑")
    back = page.locator("main a[href$='/tasks']").first
    back.click()
    expect(page.get_by_role("alert")).to_contain_text("这一页的改动还没有保存")
    expect(page.get_by_label("小区", exact=True)).to_have_value("锦江苑")
    assert_axe_clean(page)
    back.click()
    expect(page).to_have_url(f"{site.url}{family.draft}/tasks")


def test_wishes_change_places_by_button_and_by_drag(site, family, new_page):
    page = open_as(new_page, site, family)
    page.goto(f"{family.draft}/wishes")
    names = page.locator(".wishes h2 a")
    expect(names).to_have_text(["机关第一幼儿园", "锦官新城幼儿园", "小蜜蜂幼儿园"])
    with another_page(page):
        page.get_by_role("button", name="下移 机关第一幼儿园").click()
    expect(names).to_have_text(["锦官新城幼儿园", "机关第一幼儿园", "小蜜蜂幼儿园"])
    grips = page.locator(".wishes .grip")
    start, end = grips.nth(2).bounding_box(), grips.nth(0).bounding_box()
    page.mouse.move(start["x"] + 10, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 10, end["y"] - 8, steps=12)
    with page.expect_navigation():
        page.mouse.up()
    expect(names).to_have_text(["小蜜蜂幼儿园", "锦官新城幼儿园", "机关第一幼儿园"])
    with site.session() as session:
        kept = [w.programme.kindergarten.name for w in wishes.of(session, family.application_id, family.round_id)]
    assert kept == ["小蜜蜂幼儿园", "锦官新城幼儿园", "机关第一幼儿园"]


def test_a_thumb_drags_a_wish_and_a_finger_beside_the_grip_scrolls(site, family, new_page):
    """At 390 px by touch, in English: the grip moves the wish, anything beside it moves the page."""
    page = open_as(new_page, site, family, phone=True, language="en")
    page.goto(f"{family.draft}/wishes")
    names, grips = page.locator(".wishes h2 a"), page.locator(".wishes .grip")
    third = names.nth(2).inner_text()
    page.locator(".wishes").evaluate(
        "list => list.scrollIntoView({ block: 'start' })"
    )  # a thumb reaches what is in sight
    first_box, grip = grips.nth(0).bounding_box(), grips.nth(2).bounding_box()
    assert grip["width"] >= 24 and grip["height"] >= 24, "a thumb finds it"
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y} for x, y in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    touch("touchStart", (x, y))
    for step in range(1, 13):
        touch("touchMove", (x, y + (first_box["y"] + 6 - y) * step / 12))
    with page.expect_navigation():
        touch("touchEnd")
    expect(names.first).to_have_text(third)
    with site.session() as session:
        kept = [w.programme.kindergarten.name for w in wishes.of(session, family.application_id, family.round_id)]
    assert kept[0] == third


def test_a_large_photo_is_made_smaller_before_it_travels(site, family, new_page, tmp_path):
    picture = tmp_path / "photo.png"
    Image.effect_noise((2400, 1800), 90).convert("RGB").save(picture, compress_level=0)
    assert picture.stat().st_size > 12_000_000
    page = open_as(new_page, site, family, phone=True)
    page.goto(f"{family.draft}/evidence")
    upload = page.locator("#paper-hukou_booklet")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        upload.locator("[data-shoot][capture]").set_input_files(picture)
    assert 0 < int(sent.value.all_headers()["content-length"]) < 4_000_000
    expect(upload.locator(".tile:not(.kept-tile):not(.shooting)")).to_have_count(1)
    with site.session() as session:
        assert session.scalars(select(EvidencePage.media_type)).all() == ["image/webp"]


def test_the_back_button_after_handing_in_leads_to_the_same_receipt(site, family, new_page):
    page = open_as(new_page, site, family, phone=True)
    page.goto(f"{family.draft}/check")
    page.get_by_label("以上内容属实").check()
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("提交回执")
    receipt = urlsplit(page.url).path
    page.go_back()
    again = page.get_by_role("button", name="提交申请")
    if again.count():  # the browser kept the page as it was
        page.get_by_label("以上内容属实").check()
        again.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("提交回执")
        assert urlsplit(page.url).path == receipt
    else:
        expect(page.get_by_role("link", name="回到我的申请")).to_be_visible()


def test_with_letters_of_twice_the_size_no_link_is_hidden_at_the_side(site, family, new_page):
    page = open_as(new_page, site, family, phone=True)
    page.goto("/parents")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    links = page.get_by_role("navigation", name="家长").locator("ul")
    assert links.evaluate("list => list.scrollWidth <= list.clientWidth")
    expect(links.get_by_role("link", name="我的资料")).to_be_in_viewport(ratio=1)
    assert page.get_by_role("banner").bounding_box()["height"] <= 200, "the name is not squeezed beside the switches"
