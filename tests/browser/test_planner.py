"""The planner in the browser at 1280 px: ask, progress, stop, lock, a plan without a promise, two signatures, PDF, more places."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from enrollment.places.measures.rows import Measure, MeasureKind
from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support import planned_town
from tests.support.axe import assert_axe_clean
from tests.support.crowd import crowd
from tests.support.town import Town

LIST = "/officials/2026/planning"
pytestmark = pytest.mark.long


@pytest.fixture
def city(site, now):
    """A town with measures and two city officials; families want more places than there are.  The keys of both officials."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        schools = planned_town.children(town)
        wanted = town.kindergarten("锦官", places=4)
        town.open_registration()
        crowd(town, 9, wanted)
        planned_town.measure(town, MeasureKind.BUILD, 30, 9000, lead_years=1, name="三圣新建")
        planned_town.measure(
            town, MeasureKind.TO_PUBLIC, 20, 100, of=schools["inclusive"], yearly=40, name="转公办一所"
        )
        return [signed_in_key(session, each.account_id) for each in town.city_pair()]


def open_as(new_page, site, key, language="zh-CN", **more):
    page = new_page(language=language, **more)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    return page


def asked(page, name: str, **typed: str) -> str:
    """Ask for a plan; the address of its page."""
    page.goto(f"{LIST}/new?lang=zh")
    assert_axe_clean(page)
    for field, value in {"name": name, "deadline": "2027", **typed}.items():
        page.locator(f"input[name={field}]").fill(value)
    page.get_by_role("button", name="开始算").click()
    page.wait_for_url("**/planning/*-*")
    return page.url


def wait_until_done(page, address: str) -> None:
    """Until neither search nor simulation is running; the page turns by itself."""
    page.goto(address)
    page.wait_for_function("() => !document.querySelector('[data-progress]')", timeout=180_000)


def test_a_plan_is_stopped_locked_relaxed_signed_and_printed(new_page, site, city, request):
    page = open_as(new_page, site, city[0])
    address = asked(page, "先停一停")
    assert_axe_clean(page)
    with another_page(page):
        page.get_by_role("button", name="停止，留下最好的").click()
    page.get_by_text("中途停止").first.wait_for()
    assert_axe_clean(page)
    request.getfixturevalue("workers")

    address = asked(page, "都到线", budget="150")
    wait_until_done(page, address)
    page.get_by_text("1 个区都能到线").first.wait_for()
    page.get_by_text("还没有公布过的派位").wait_for()
    with site.session() as session:
        turn = session.scalars(select(Measure.code).where(Measure.name == "转公办一所")).one()
    page.locator(f'input[name="lock-{turn}"][value=never]').check()
    with another_page(page):
        page.get_by_role("button", name="按这些锁定重新算").click()
    wait_until_done(page, address)
    page.get_by_text("这 3 个承诺放在一起就不成立").wait_for()
    assert_axe_clean(page)
    promise = page.locator(".promises li", has_text="每年最多花")
    promise.get_by_role("button", name="放弃这一条再算").click()
    page.wait_for_url(lambda url: url.split("?")[0] != address)
    relaxed = page.url
    wait_until_done(page, relaxed)
    page.get_by_role("link", name="并排比").first.click()
    page.get_by_role("heading", name="两个方案并排").wait_for()
    assert_axe_clean(page)

    wait_until_done(page, relaxed)
    with another_page(page):
        page.get_by_role("button", name="存为方案，送第二人会签").click()
    page.get_by_text("等第二人签").wait_for()
    second = open_as(new_page, site, city[1], "en")
    second.goto(f"{relaxed}?lang=en")
    assert_axe_clean(second)
    with another_page(second):
        second.get_by_role("button", name="Sign this plan").click()
    second.get_by_text("Signed by two").first.wait_for()
    second.goto(f"{LIST}?lang=en")
    assert_axe_clean(second)
    second.goto(relaxed)
    with second.expect_download(timeout=180_000) as download:
        second.get_by_role("link", name="Plan on three pages (PDF)").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")


def test_where_more_places_help_most(new_page, site, city, workers):
    page = open_as(new_page, site, city[0])
    page.goto(f"{LIST}/more-places?lang=zh")
    assert_axe_clean(page)
    page.locator("input[name=places]").fill("5")
    page.get_by_role("button", name="开始算").click()
    page.get_by_text("能多录取 5.0 人").first.wait_for(timeout=180_000)
    assert_axe_clean(page)
    page.goto(f"{page.url.split('?')[0]}?lang=en")
    assert_axe_clean(page)


def test_the_progress_of_a_plan_is_told_again_after_the_portal_had_no_time(new_page, site, city):
    """Nobody works on it here: the page waits for what the answers to it say."""
    page = open_as(new_page, site, city[0], busy=True)
    asked(page, "没有人算")
    answers = [{"status": 503}, {"status": 429}, {"status": 502}]
    told = {"state": "running", "done": 3, "of": 7, "step": "还在算"}

    def answer(route):
        route.fulfill(**answers.pop(0)) if answers else route.fulfill(json=told)

    page.route("**/progress.json", answer)
    expect(page.locator("[data-step]")).to_have_text("还在算", timeout=20_000)
    assert not answers
    with page.expect_navigation():  # what came of it is on the page that is loaded anew
        told["state"] = "done"
