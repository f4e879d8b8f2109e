"""The staff desk in a real browser: keyboard use, accessibility, layout at 390 px and 1280 px."""

import datetime as dt
import io
import re
import secrets

import pytest
from PIL import Image
from playwright.sync_api import expect

from enrollment.applications import register_answers
from enrollment.applications.register_answers import Answer
from enrollment.eligibility import evidence
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.sign_in import WebSession
from enrollment.season.facts import Fact
from portal.web.clock import real_now
from portal.web.sessions import digest_of
from tests.browser.another_page import another_page
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def reviewed(site, now):
    """One application with a mismatch and one on which registers agree, on the evening when the review opens."""
    with site.session() as session:
        town = Town(session, now)
        town.here = town.kindergarten("锦官新城幼儿园", places=5)
        town.open_registration()
        photo = io.BytesIO()
        Image.new("RGB", (600, 800), "white").save(photo, "PNG")
        for name, otherwise in (("李沐晨", {"street": "春熙路街道"}), ("王小雨", None)):
            family = town.family(name[0])
            town.agree_to_registers(family)
            child = town.child(name, family=family, wishes=[town.here])
            for document in ("hukou_booklet", "rental_record"):
                evidence.add_pages(
                    session,
                    child.id,
                    document,
                    [photo.getvalue() + document.encode()],
                    by=town.parent_of(child),
                    now=now,
                )
            answers = []
            for fact, value in claimed_facts(session, child.id).items():
                differs = fact == Fact.HOME_PLACE and otherwise
                said = ("differs", otherwise) if differs else ("matches", value)
                answers.append(Answer(child.id, fact.value, register_answers.REGISTER_OF[fact], *said))
            register_answers.note(session, answers, now=town.now)
        town.registration_is_over()
        town.clerk, town.head = town.clerk_of(town.here), town.head_of(town.here)
        town.official = town.area_official()
        session.commit()
        site.set_time(town.now)
        yield town


def let_in(site, page, actor) -> None:
    """Give this browser the session of a signed-in person."""
    key, moment = secrets.token_urlsafe(32), real_now()
    with site.session() as session, session.begin():
        session.add(
            WebSession(
                digest=digest_of(key),
                account_id=actor.account_id,
                data={"_user_id": str(actor.account_id), "_fresh": True, "second_factor_at": moment.isoformat()},
                created_at=moment,
                seen_at=moment,
                expires_at=moment + dt.timedelta(hours=1),
            )
        )
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_stf15_a_clerk_reviews_with_the_keyboard_alone(site, reviewed, new_page, language):
    """From the queue to the end with a file of one mismatch in two keys; the page is accessible at each step."""
    page = new_page(language=language)
    let_in(site, page, reviewed.clerk)
    page.goto(f"/staff/queue?lang={'en' if language == 'en' else 'zh'}")
    assert_axe_clean(page)
    page.keyboard.press("j")
    expect(page.locator("tr.current")).to_have_count(1)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("lmc")
    with another_page(page):
        page.keyboard.press("Enter")
    expect(page.locator("tr[data-line]")).to_have_count(1)
    page.goto("/staff/queue")
    with another_page(page, "李沐晨"):
        page.keyboard.press("n")
    expect(page.locator(".fact.on")).to_have_attribute("data-fact", "home_place")
    assert_axe_clean(page)
    page.keyboard.press("2")
    expect(page.locator("#home_place input[value=register], .fact.on input[value=register]").first).to_be_checked()
    expect(page.locator("[data-tiers] .tier")).to_have_count(1)
    with another_page(page, "王小雨"):
        page.keyboard.press("Enter")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_have_attribute("open", "")
    page.locator("#keys-on").uncheck()
    page.locator("h1").click()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("王小雨")


def test_stf15_the_viewer_has_buttons_turns_whole_pages_and_keeps_the_zoom(site, reviewed, new_page):
    page = new_page()
    let_in(site, page, reviewed.clerk)
    page.goto("/staff/queue")
    with another_page(page):
        page.keyboard.press("n")
    image = page.locator("[data-sheet] img")
    expect(image).to_be_visible()
    shown = page.locator("[data-count]")
    expect(shown).to_have_text(re.compile("^[12] / 2$"))  # papers of one moment stand in any order
    other = {"1 / 2": "2 / 2", "2 / 2": "1 / 2"}[shown.inner_text()]
    page.get_by_role("button", name="放大").click()
    expect(page.locator("[data-zoom]").last).to_have_text("125%")
    page.get_by_role("button", name="旋转").click()
    # the box has the size of the turned page, so that nothing is cut off
    page.wait_for_function(
        """() => { const box = document.querySelector("[data-sheet]").getBoundingClientRect();
        const image = document.querySelector("[data-sheet] img").getBoundingClientRect();
        return [image.left - box.left, box.right - image.right, image.top - box.top, box.bottom - image.bottom]
            .every((edge) => Math.abs(edge) < 2) }"""
    )
    page.get_by_role("button", name="下一页材料").click()
    expect(shown).to_have_text(other)
    page.reload()
    expect(page.locator("[data-zoom]").last).to_have_text("125%")


def test_keys_are_silent_while_an_input_method_composes_or_a_field_has_the_focus(site, reviewed, new_page):
    page = new_page()
    let_in(site, page, reviewed.clerk)
    page.goto("/staff/queue")
    with another_page(page, "李沐晨"):
        page.keyboard.press("n")
    page.get_by_label("备注（家长看不到）").fill("r2")
    page.get_by_label("备注（家长看不到）").press("r")
    page.evaluate(
        """() => document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key: "r", keyCode: 229, isComposing: true, bubbles: true }))"""
    )
    expect(page.locator("h1")).to_have_text("李沐晨")
    expect(page.locator(".fact.on input:checked")).to_have_count(0)


def test_a_verdict_shows_its_fields(site, reviewed, new_page):
    page = new_page()
    let_in(site, page, reviewed.clerk)
    page.goto("/staff/queue")
    with another_page(page):
        page.get_by_role("button", name="打开下一份").click()
    against = page.locator("fieldset[data-fact=home_place]")
    expect(against.get_by_label("理由")).to_be_hidden()
    against.get_by_label("按材料另行认定").check(force=True)
    expect(against.get_by_label("街道", exact=True)).to_be_visible()
    against.get_by_label("按家长填报").check(force=True)
    expect(against.get_by_label("理由")).to_be_visible()
    page.locator(".agreeing > summary").click()
    page.get_by_text("更改：出生日期").click()
    line = page.locator(".agreed", has_text="出生日期")
    expect(line.get_by_label("不认定的理由")).to_be_hidden()
    line.locator("input[value=declined]").check(force=True)
    expect(line.get_by_label("不认定的理由")).to_be_visible()


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en")])
def test_review_pages_are_accessible(site, reviewed, new_page, phone, language):
    page = new_page(phone=phone, language=language)
    let_in(site, page, reviewed.clerk)
    short = "en" if language == "en" else "zh"
    page.goto(f"/staff/queue?lang={short}")
    assert_axe_clean(page)
    with another_page(page, "李沐晨"):
        page.locator("[data-key=n]").click()
    assert_axe_clean(page)
    application = page.url.split("?")[0]
    for path in (
        "/staff/",
        f"{application}/send-back",
        f"{application}/refuse",
        "/staff/refusals",
        "/staff/queue/matched",
        "/staff/arrivals",
        "/staff/notice-board",
        "/verify",
        "/verify/CCCCDDDDFFFF",
    ):
        page.goto(path)
        assert_axe_clean(page)
    page = new_page(phone=phone, language=language)
    let_in(site, page, reviewed.official)
    for path in (
        f"/officials/2026/review?lang={short}",
        f"/officials/2026/review/{reviewed.here.id}",
        "/officials/2026/refusals",
    ):
        page.goto(path)
        assert_axe_clean(page)
