"""A family photographs its papers: one tap, no upload button, and a cut line loses nothing."""

import datetime as dt
import io
import re
from dataclasses import dataclass
from uuid import UUID

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from pypdf import PdfWriter
from sqlalchemy import func, select

from enrollment.applications.evidence_rows import EvidencePage, pages_of
from enrollment.ground.sign_in import IdempotentResponse
from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.browser.test_uploads_and_drafts import open_as, stored, until, until_stored
from tests.support.axe import assert_axe_clean
from tests.support.town import Town
from tests.support.worker import let_the_worker_work

CAMERA = "[data-shoot][capture]"


def photo(text: str, *, noise: bool = False) -> dict:
    """A sharp photo of a paper, as a file that a field takes; with `noise` it is large, as from a poor camera."""
    drawn, file = (
        Image.effect_noise((900, 1200), 60).convert("RGB") if noise else Image.new("RGB", (900, 1200), "white"),
        io.BytesIO(),
    )
    pen = ImageDraw.Draw(drawn)
    for line in range(30):
        pen.text((60, 40 + 38 * line), f"{text} {line} " * 6, fill="black")
    drawn.save(file, "JPEG")
    return {"name": f"{text}.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


@pytest.fixture
def draft(site, now):
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("机关第一幼儿园", places=30)
        li = town.family("李")
        ana = town.child("李沐晨", family=li, wishes=[garden], submit=False)
        return signed_in_key(session, li.account.id), f"/parents/applications/{ana.id}"


def pages_in_database(site, draft) -> dict[str, list[EvidencePage]]:
    with site.session() as session:
        return pages_of(session, UUID(draft[1].rpartition("/")[2]))


def papers_page(new_page, site, draft, **shape):
    page = open_as(new_page, site, draft[0], phone=True, **shape)
    page.goto(f"{draft[1]}/evidence{'?lang=en' if shape.get('language') == 'en' else ''}")
    return page


def booklet(page):
    return page.locator("#paper-hukou_booklet")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_photo_is_sent_by_itself_turned_replaced_and_removed(site, draft, new_page, language):
    page = papers_page(new_page, site, draft, language=language)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("0")
    for text in ("one", "two"):
        booklet(page).locator(CAMERA).set_input_files(photo(text))
        expect(booklet(page).locator(".tile:not(.kept-tile)")).to_have_count(1 if text == "one" else 2)
    expect(heading).to_contain_text("1")
    assert_axe_clean(page)
    first, second = pages_in_database(site, draft)["hukou_booklet"]
    tools = booklet(page).locator(".tile").first.locator(".tools > *")
    with another_page(page):
        tools.nth(0).locator("button").click()
    thumb = booklet(page).locator(".tile img").first
    until(page, "document.querySelector('.tile img').naturalWidth > 0")
    assert thumb.evaluate("img => img.naturalWidth > img.naturalHeight"), "the page lies on its side now"
    page.on("filechooser", lambda _chooser: None)  # whoever listens only from the click on may be late
    with page.expect_file_chooser() as chooser:
        tools.nth(1).click()
    chooser.value.set_files(photo("three"))
    until(page, f"!document.querySelector('[data-replace=\"{first.id}\"]')")
    now_there = pages_in_database(site, draft)["hukou_booklet"]
    assert [each.id for each in now_there][1] == second.id and len(now_there) == 2, "the new one stands in its place"
    with another_page(page):
        booklet(page).locator(".tile").last.locator(".tools > *").nth(2).locator("button").click()
    expect(booklet(page).locator(".tile")).to_have_count(1)
    booklet(page).locator(".tile .im").click()
    expect(page.locator("img.whole")).to_be_visible()
    assert_axe_clean(page)


def test_a_photo_taken_without_a_network_is_sent_after_the_tab_was_killed(site, draft, new_page):
    page = papers_page(new_page, site, draft)
    context = page.context
    context.set_offline(True)
    booklet(page).locator(CAMERA).set_input_files(photo("booklet"))
    tile = booklet(page).locator(".kept-tile")
    expect(tile).to_contain_text("在手机里")
    expect(page.get_by_role("heading", name="没有网络，您填的还在这台手机上")).to_be_visible()
    expect(page.locator("#kept-here")).to_contain_text("1")
    assert_axe_clean(page)
    (kept,) = stored(page)
    assert "户口簿".encode() not in bytes(kept["data"]) and b"booklet" not in bytes(kept["data"])
    (key,) = stored(page, "keys")
    assert key["extractable"] is False
    page.close(run_before_unload=False)
    context.set_offline(False)
    assert pages_in_database(site, draft) == {}
    page = context.new_page()
    page.goto("/parents")  # any page of the family sends it
    until_stored(page, 0)
    assert len(pages_in_database(site, draft)["hukou_booklet"]) == 1
    page.goto(f"{draft[1]}/evidence")
    expect(booklet(page).locator(".tile:not(.kept-tile)")).to_have_count(1)
    expect(booklet(page).locator(".kept-tile")).to_have_count(0)


SLOW_LINE = {"offline": False, "latency": 100, "downloadThroughput": 100_000, "uploadThroughput": 60_000}


def test_on_a_slow_line_each_photo_says_how_long_it_still_takes(site, draft, new_page):
    page = papers_page(new_page, site, draft)
    line = page.context.new_cdp_session(page)
    line.send("Network.emulateNetworkConditions", SLOW_LINE)
    for text in ("one", "two"):
        booklet(page).locator(CAMERA).set_input_files(photo(text, noise=True))
    first = booklet(page).locator(".kept-tile").first
    expect(first).to_contain_text(re.compile(r"正在送 \d+% · 约 (5|10|15) 秒"))
    expect(page.locator("#on-the-way")).to_have_text(re.compile(r"正在送 [12] · 约 \d+ 秒"))
    expect(booklet(page).locator(".tile:not(.kept-tile)")).to_have_count(2, timeout=40_000)
    expect(page.locator("#on-the-way")).to_be_hidden()
    assert len(pages_in_database(site, draft)["hukou_booklet"]) == 2


def test_the_page_of_what_is_kept_sends_it_when_the_line_is_back(site, draft, new_page):
    page = papers_page(new_page, site, draft)
    page.context.route("**/evidence/photos", lambda route: route.abort("internetdisconnected"))
    booklet(page).locator(CAMERA).set_input_files(photo("booklet"))
    expect(booklet(page).locator(".kept-tile")).to_contain_text("在手机里")
    page.goto("/offline")
    heading, waits = page.locator("h1 > :visible"), page.locator("[data-list=waits]")
    expect(heading).to_contain_text("我们这边出了问题，您填的都还在")
    expect(waits.get_by_role("link", name="照片 1 张")).to_have_attribute("href", f"{draft[1]}/evidence")
    assert_axe_clean(page)
    page.context.unroute("**/evidence/photos")
    page.get_by_role("button", name="现在再试一次").click()
    expect(heading).to_contain_text(re.compile(r"都送到了 \d\d:\d\d"))
    expect(waits).to_be_hidden()
    expect(page.locator("[data-list=sent]")).to_contain_text("户口簿")
    assert_axe_clean(page)
    assert len(pages_in_database(site, draft)["hukou_booklet"]) == 1


def test_the_page_of_what_is_kept_says_that_the_session_is_over(site, draft, new_page):
    page = papers_page(new_page, site, draft)
    page.goto("/offline")
    page.context.clear_cookies()
    # again each second: an event during the page's own first look is that look's
    page.wait_for_function(
        "() => { dispatchEvent(new Event('online')); return document.querySelector('h1').textContent.includes('请重新登录') }",
        polling=1000,
    )
    expect(page.get_by_role("heading", level=1, name="请重新登录，您填的都还在", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="重新登录")).to_have_attribute("href", "/sign-in?next=/offline")
    expect(page.get_by_role("button", name="现在再试一次")).to_be_hidden()
    assert_axe_clean(page)


def test_an_answer_that_is_lost_makes_no_second_page(site, draft, new_page):
    page = papers_page(new_page, site, draft)
    lost = []

    def lose(route):
        answer = route.fetch(max_redirects=0)
        lost.append(answer.status)
        route.abort("internetdisconnected") if len(lost) == 1 else route.fulfill(response=answer)

    page.route("**/evidence/photos", lose)
    booklet(page).locator(CAMERA).set_input_files(photo("booklet"))
    expect(booklet(page).locator(".tile:not(.kept-tile)")).to_have_count(1, timeout=20_000)
    assert lost == [303, 303]
    assert len(pages_in_database(site, draft)["hukou_booklet"]) == 1
    with site.session() as session:
        assert session.scalar(select(func.count()).select_from(IdempotentResponse)) == 1


def test_another_account_on_the_same_phone_reads_nothing_and_the_first_finds_it_again(site, draft, new_page, now):
    page = papers_page(new_page, site, draft)
    context = page.context
    context.route("**/evidence/photos", lambda route: route.abort("internetdisconnected"))
    booklet(page).locator(CAMERA).set_input_files(photo("booklet"))
    expect(booklet(page).locator(".kept-tile")).to_have_count(1)
    until(page, "!document.querySelector('#kept-here').hidden")
    with site.session() as session, session.begin():
        other = signed_in_key(session, Town(session, now).family("王").account.id)
    context.add_cookies([{"name": "session", "value": other, "url": site.url}])
    page.goto("/parents")
    page.wait_for_load_state("networkidle")
    expect(page.locator("#kept-here")).to_be_hidden()
    assert len(stored(page)) == 1, "it lies there and cannot be opened"
    context.add_cookies([{"name": "session", "value": draft[0], "url": site.url}])
    page.goto(f"{draft[1]}/evidence")
    expect(booklet(page).locator(".kept-tile")).to_have_count(1)
    page.get_by_role("banner").get_by_role("button", name="退出").click()
    page.wait_for_url("/")
    assert stored(page) == [] and stored(page, "bodies") == []


def test_after_seven_days_a_kept_photo_is_gone(site, draft, new_page):
    page = papers_page(new_page, site, draft)
    page.context.route("**/evidence/photos", lambda route: route.abort("internetdisconnected"))
    booklet(page).locator(CAMERA).set_input_files(photo("booklet"))
    expect(booklet(page).locator(".kept-tile")).to_have_count(1)
    until(page, "!document.querySelector('#kept-here').hidden")
    (kept,) = stored(page)
    page.clock.set_fixed_time(kept["at"] / 1000 + (6 * 24 + 23) * 3600)
    page.reload()
    expect(booklet(page).locator(".kept-tile")).to_have_count(1)
    page.clock.set_fixed_time(kept["at"] / 1000 + (7 * 24 + 1) * 3600)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(booklet(page).locator(".kept-tile")).to_have_count(0)
    assert stored(page) == [] and stored(page, "bodies") == []


def test_a_deadline_that_passes_meanwhile_leaves_the_photo_and_says_what_can_be_done(site, draft, new_page, now):
    page = papers_page(new_page, site, draft)
    page.context.set_offline(True)
    booklet(page).locator(CAMERA).set_input_files(photo("booklet"))
    expect(booklet(page).locator(".kept-tile")).to_have_count(1)
    site.set_time(now.replace(month=12))
    page.context.set_offline(False)
    tile = booklet(page).locator(".kept-tile")
    expect(tile).to_contain_text("没有送到")
    expect(tile).to_contain_text("照片还在这台手机上")
    assert_axe_clean(page)
    assert pages_in_database(site, draft) == {}
    tile.get_by_role("button", name="删掉这一张").click()
    expect(tile).to_have_count(0)


@pytest.mark.parametrize("refuses", ["a private window", "a full storage"])
def test_a_browser_that_stores_nothing_still_sends(site, draft, new_page, refuses):
    page = open_as(new_page, site, draft[0], phone=True)
    if refuses == "a private window":
        page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    else:
        quota = {"origin": site.url, "quotaSize": 1}
        page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
    page.goto(f"{draft[1]}/evidence")
    page.context.set_offline(True)
    booklet(page).locator(CAMERA).set_input_files(photo("booklet"))
    expect(booklet(page).locator(".kept-tile")).to_contain_text("请不要关掉这个页面")
    page.context.set_offline(False)
    expect(booklet(page).locator(".tile:not(.kept-tile)")).to_have_count(1)
    page.goto(f"{draft[1]}/household")
    page.get_by_label("小区", exact=True).fill("锦江苑")
    expect(page.locator("#draft-state")).to_contain_text("请不要关掉这个页面")
    page.get_by_role("button", name="保存并继续").click()
    page.wait_for_url(lambda url: "household" not in url)


def test_without_scripts_a_family_uploads_sees_a_pdf_as_pictures_and_replaces_it(site, draft, browser, new_page, now):
    context = browser.new_context(base_url=site.url, java_script_enabled=False, viewport={"width": 390, "height": 844})
    context.add_cookies([{"name": "session", "value": draft[0], "url": site.url}])
    page, writer, file = context.new_page(), PdfWriter(), io.BytesIO()
    for _ in range(2):
        writer.add_blank_page(595, 842)
    writer.write(file)
    page.goto(f"{draft[1]}/evidence")
    expect(booklet(page).locator(".shoot")).to_have_count(1)
    expect(booklet(page).locator(".shoot")).to_be_hidden()
    paper = {"name": "booklet.pdf", "mimeType": "application/pdf", "buffer": file.getvalue()}
    booklet(page).locator(".plain-upload input[type=file]").set_input_files(paper)
    booklet(page).get_by_role("button", name="上传").click()
    expect(booklet(page).locator(".tile")).to_contain_text("PDF")
    assert let_the_worker_work(site.engine, At(now + dt.timedelta(hours=1)), ("draw_evidence",)) == ["done"]
    booklet(page).locator(".tile .im").click()
    expect(page.locator("img.whole")).to_have_count(2)
    page.locator("#replace input[type=file]").set_input_files(photo("instead"))
    with another_page(page):
        page.get_by_role("button", name="换一张").click()
    (kept,) = pages_in_database(site, draft)["hukou_booklet"]
    assert kept.media_type == "image/webp"
    context.close()


@dataclass
class At:
    """The clock of the worker."""

    now: dt.datetime
