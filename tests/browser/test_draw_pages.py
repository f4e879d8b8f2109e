"""The draw room, the public draw and the family's result, in Chromium at 390 px and 1280 px, in both languages, with axe."""

import pytest
from playwright.sync_api import expect

from tests.browser.another_page import another_page
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town


@pytest.fixture
def drawn(site, now):
    """A town whose result is published: pages of an official and of a family that may wait for a better wish."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        jinpingguo, mudan = town.kindergarten("金苹果幼儿园", places=1), town.kindergarten("牡丹幼儿园", places=2)
        ana = town.child("安娜", wishes=[jinpingguo])
        ben = town.child("本本", wishes=[jinpingguo, mudan])
        twins = town.twins("宁宁", "静静", wishes=[mudan])
        run = town.drawn(ana, ben, twins[0])
        round_id = town.the_round.id
        official, parent = town.city_pair()[0].account_id, ben.entered_by
        keys = signed_in_key(session, official), signed_in_key(session, parent)
        result = f"/parents/applications/{ben.id}/result"
        moment = town.now
    site.set_time(moment)
    return {
        keys[0]: (
            "/officials/2026/draws",
            f"/officials/2026/rounds/{round_id}/draw",
            f"/officials/2026/draws/runs/{run.id}",
            "/officials/2026/unplaced",
        ),
        keys[1]: (result, f"{result}/wait", f"{result}/decline"),
        None: ("/draws", f"/draws/{round_id}"),
    }


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en")])
def test_every_page_of_the_draw_is_for_everybody(new_page, site, drawn, phone, language):
    for key, paths in drawn.items():
        page = new_page(phone=phone, language=language)
        if key:
            page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
        for path in paths:
            answer = page.goto(f"{path}{'&' if '?' in path else '?'}lang={'zh' if language == 'zh-CN' else 'en'}")
            assert answer.status == 200, path
            assert_axe_clean(page)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{path} is {wide} px too wide"


def test_a_family_confirms_and_waits_on_a_phone(new_page, site, drawn):
    key, (result, *_more) = list(drawn.items())[1]
    page = new_page(phone=True)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    page.goto(result)
    with another_page(page):
        page.get_by_role("link", name="确认并候补").click()
    with another_page(page):
        page.get_by_role("button", name="确认并候补").click()
    page.get_by_text("已确认，并候补更靠前的志愿。").wait_for()
    expect(page.get_by_role("link", name="下载录取通知书（PDF）")).to_be_visible()
