"""The screen of a hall in Chromium: every scene fits a 1280 × 720 and a 1920 × 1080 projector, light and dark, with axe."""

import time

import pytest

from enrollment.draw import runs
from enrollment.results.hall import Scene
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

SMALLEST = """() => {
  const seen = [];
  for (const each of document.querySelectorAll('#stage *')) {
    const own = [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (own && each.getClientRects().length && !each.classList.contains('hidden'))
      seen.push([parseFloat(getComputedStyle(each).fontSize), each.textContent.trim().slice(0, 40)]);
  }
  return seen.sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.fixture
def hall(site, now):
    """A round whose run one official signed: every scene has something to show."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("金苹果幼儿园", places=2)
        for name in ("安", "贝", "晨"):
            town.child(name, wishes=[garden])
        town.everyone_is_reviewed()
        town.freeze()
        town.seed()
        run = town.run()
        runs.sign(session, run.id, by=town.city_pair()[1], now=town.now)
        key = signed_in_key(session, town.city_pair()[0].account_id)
        round_id, moment = town.the_round.id, town.now
    site.set_time(moment)
    return key, f"/officials/2026/rounds/{round_id}/projector", run.id


def open_screen(new_page, site, hall, size, language="zh-CN", **more):
    page = new_page(language=language, **more)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.context.add_cookies([{"name": "session", "value": hall[0], "url": site.url}])
    return page


@pytest.mark.parametrize(("size", "language", "tone"), [((1280, 720), "en", "light"), ((1920, 1080), "zh-CN", "dark")])
def test_every_scene_is_read_from_the_last_row(new_page, site, hall, size, language, tone):
    page = open_screen(new_page, site, hall, size, language)
    for scene in Scene:
        page.goto(f"{hall[1]}/{scene}?tone={tone}&lang={'en' if language == 'en' else 'zh'}")
        page.mouse.move(20, 20)
        assert_axe_clean(page)
        smallest, text = page.evaluate(SMALLEST)
        assert smallest * 1920 / size[0] >= 27, f"{scene}: {text!r} has {smallest} px"
        high = page.evaluate("document.documentElement.scrollHeight - document.documentElement.clientHeight")
        assert high <= 0, f"{scene} is {high} px higher than the screen"


def test_the_arrows_go_from_scene_to_scene_and_the_screen_computes_the_seed_again(new_page, site, hall):
    page = open_screen(new_page, site, hall, (1280, 720))
    page.goto(f"{hall[1]}?lang=zh")
    page.get_by_role("heading", name="一人已签，等第二人").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="公布的时间已经宣布").wait_for()
    counted = page.locator("[data-until]")
    before = counted.inner_text()
    page.wait_for_function("before => document.querySelector('[data-until]').textContent !== before", arg=before)
    for _ in range(3):
        at = page.url
        page.keyboard.press("ArrowLeft")
        page.wait_for_function("at => location.href !== at", arg=at)
        page.wait_for_load_state("load")  # only then does the next scene listen to keys
    page.get_by_role("heading", name="种子公布了").wait_for()
    page.get_by_text("64 个字都一样").wait_for()
    page.keyboard.press("f")
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="11 项核验全部通过").wait_for()
    assert page.evaluate("document.fullscreenElement !== null"), "the full screen stays from scene to scene"


def test_a_key_is_not_lost_when_its_scene_comes_later_than_the_next_look(new_page, site, hall):
    """The screen looks every three seconds; a scene that takes longer is shown all the same."""
    page = open_screen(new_page, site, hall, (1280, 720))
    page.goto(f"{hall[1]}/signatures?lang=zh")
    page.get_by_role("heading", name="一人已签，等第二人").wait_for()

    def late(route):
        time.sleep(4.5)
        route.continue_()

    page.route("**/projector/hour*", late, times=1)
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="公布的时间已经宣布").wait_for()
    assert page.url.split("?")[0].endswith("/hour")


def test_the_screen_changes_by_itself_and_keeps_its_last_scene_without_a_network(new_page, site, hall):
    page = open_screen(new_page, site, hall, (1280, 720))
    page.goto(f"{hall[1]}/signatures?lang=zh")
    with site.session() as session, session.begin():
        run = runs.one(session, hall[2])
        town = Town(session, run.finished_at)
        runs.sign(session, run.id, by=town.city_pair()[0], now=run.finished_at)
    page.get_by_role("heading", name="两人已签，按时公布").wait_for()
    page.context.set_offline(True)
    page.locator("#offline").wait_for(state="visible")
    assert "两人已签" in page.locator("h1").inner_text()
    page.context.set_offline(False)
    page.locator("#offline").wait_for(state="hidden")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_the_screen_keeps_its_last_scene_while_the_portal_has_no_time(new_page, site, hall, status):
    page = open_screen(new_page, site, hall, (1280, 720), busy=True)
    page.goto(f"{hall[1]}/signatures?lang=zh")
    scene = page.locator("h1").inner_text()
    with page.expect_response(lambda answer: answer.status == status, timeout=20_000):
        page.route("**/projector/**", lambda route: route.fulfill(status=status, body="<h1>busy</h1>"))
    page.locator("#offline").wait_for(state="visible")
    assert page.locator("h1").inner_text() == scene
    page.unroute("**/projector/**")
    page.locator("#offline").wait_for(state="hidden")
