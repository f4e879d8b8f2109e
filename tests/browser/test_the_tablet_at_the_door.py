"""The tablet at the door: many taps through a cut network, a killed tab and two tabs; none is lost, none counts twice."""

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select, text

from enrollment.offers.arrivals.rows import ArrivalTap
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town
from tests.support.town_season import at

CHILDREN = 24
CHECKS = ("health", "vaccination", "pickup")
TIMES = 15
NAMES = [f"{family}{given}" for family, given in itertools.product("李王张刘陈杨", ("沐晨", "小雨", "安然", "一诺"))]


@dataclass
class Door:
    clerk: str
    head: str
    offers: list[str] = field(default_factory=list)


@pytest.fixture
def door(site) -> Door:
    """A kindergarten expects 24 children; it is the first morning of arrival."""
    with site.session() as session, session.begin():
        town = Town(session, at(5, 1))
        here = town.kindergarten("锦官驿幼儿园", places=50)
        town.open_registration()
        listed = [town.child(name, wishes=[here]) for name in NAMES]
        town.drawn()
        for each in listed:
            town.confirm(each)
        people = [town.clerk_of(here), town.head_of(here)]
        keys = [signed_in_key(session, each.account_id) for each in people]
        made = Door(*keys, offers=[str(town.offer_for(each).id) for each in listed])
    site.set_time(at(8, 20, 10))
    return made


def opens(site, page, key, path="/staff/arrivals"):
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    page.goto(path)
    return page


def tick(page, offer, check):
    """What a finger does: the list may show other children at this moment."""
    page.evaluate(
        "([offer, check]) => document.querySelector(`#door [data-offer='${offer}'] [data-check=${check}]`).click()",
        [offer, check],
    )


def taps_of(site) -> tuple[int, int]:
    """How many taps there are, and of how many children and checks."""
    with site.session() as session:
        what = func.count(func.distinct(func.concat(ArrivalTap.offer_id, ArrivalTap.act)))
        return tuple(session.execute(select(func.count(), what)).one())


def sent(page):
    expect(page.locator("#unsent")).to_be_hidden(timeout=400_000)


def tap_often(pages, offers):
    """Every check of these children is tapped `TIMES`, an odd number: at last it is ticked.  The pages take turns."""
    tap = """([offers, checks, times]) => {
        for (let turn = 0; turn < times; turn++) for (const offer of offers) for (const check of checks)
            document.querySelector(`#door [data-offer='${offer}'] [data-check=${check}]`).click();
    }"""
    for number, page in enumerate(pages):
        page.evaluate(tap, [offers[number :: len(pages)], CHECKS, TIMES])


def test_a_tablet_loses_none_of_a_thousand_taps_and_counts_none_twice(site, door, new_page):
    """A third of the answers is lost, the network is cut, a tab is killed with its taps, two tabs send at once."""
    a_third = len(CHECKS) * CHILDREN // 3 * TIMES
    page = opens(site, new_page(), door.clerk)
    dropped = itertools.count()

    def every_third_answer_is_lost(route):
        answer = route.fetch()  # the server has it, and the tablet does not learn so
        if next(dropped) % 3:
            route.fulfill(response=answer)
        else:
            route.fulfill(status=408)

    page.route("**/arrivals/exchange*", every_third_answer_is_lost)
    tap_often([page], door.offers[:8])
    sent(page)
    assert next(dropped) > a_third // 40, "the taps went in parts, and some of these twice"
    assert taps_of(site) == (a_third, 24)
    page.unroute("**/arrivals/exchange*")
    page.context.set_offline(True)
    tap_often([page], door.offers[8:16])
    expect(page.locator("#unsent")).to_contain_text(f"未上传 {a_third} 条")
    expect(page).to_have_title(f"(⇡{a_third}) 2026 年秋季报到 · 成都市幼儿园统一招生")
    second = page.context.new_page()
    page.close()  # the tab is killed with its taps in the tablet
    page.context.set_offline(False)
    opens(site, second, door.clerk)
    third = page.context.new_page()
    opens(site, third, door.clerk)
    tap_often([second, third], door.offers[16:])
    sent(second)
    sent(third)
    assert taps_of(site) == (3 * a_third, 72) and 3 * a_third > 1000
    third.reload()
    expect(third.locator("#door [data-check]:checked")).to_have_count(72)
    with site.session() as session:
        kept = text("SELECT count(*) FROM arrival_check WHERE health_on IS NOT NULL AND vaccination_on IS NOT NULL")
        assert session.execute(kept).scalar_one() == CHILDREN, "the last tap of each check holds"


def test_nothing_moves_under_the_finger_when_the_network_is_cut(site, door, new_page):
    page = opens(site, new_page(), door.clerk)
    page.set_viewport_size({"width": 820, "height": 1180})
    where = page.locator("#q").bounding_box()
    page.context.set_offline(True)
    tick(page, door.offers[0], "health")
    expect(page.locator("#unsent")).to_contain_text("未上传 1 条")
    assert page.locator("#q").bounding_box() == where
    page.context.set_offline(False)
    sent(page)


def test_two_tablets_and_an_arrival_that_is_undone(site, door, new_page):
    one, other = opens(site, new_page(), door.clerk), opens(site, new_page(), door.head)
    one.get_by_label("找孩子").fill("李沐晨")
    child = one.locator(f'#door [data-offer="{door.offers[0]}"]')
    child.get_by_label("体检表").check()
    tick(other, door.offers[0], "vaccination")
    sent(one)
    sent(other)
    with site.session() as session:
        assert session.execute(
            text("SELECT health_on IS NOT NULL AND vaccination_on IS NOT NULL FROM arrival_check")
        ).scalar_one()
    other.reload()
    for check in ("health", "vaccination"):
        expect(other.locator(f'#door [data-offer="{door.offers[0]}"] [data-check={check}]')).to_be_checked()
    child.get_by_role("button", name="李沐晨到了，进小一班").click()
    expect(one.locator("#undo")).to_contain_text("李沐晨 到了，进小一班")
    expect(one.locator(".cnt b")).to_have_text("1")
    sent(one)
    one.locator("#undo button").click()
    expect(one.locator(".cnt b")).to_have_text("0")
    sent(one)
    one.reload()
    expect(one.locator(".cnt b")).to_have_text("0")
    one.get_by_label("找孩子").fill("没有的孩子")
    one.get_by_role("button", name="先记下来，晚点对").click()
    sent(one)
    one.reload()
    expect(one.get_by_role("link", name="待核对 1")).to_be_visible()


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (False, "en"), (False, "zh-CN"), (True, "en")])
def test_the_page_at_the_door_is_accessible(site, door, new_page, phone, language):
    page = new_page(phone=phone, language=language)
    short = "en" if language == "en" else "zh"
    opens(site, page, door.clerk, f"/staff/arrivals?lang={short}")
    page.locator("#q").fill("李沐晨")
    assert_axe_clean(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    if folder := os.environ.get("PICTURES"):
        tick(page, door.offers[0], "health")
        page.locator(f'#door [data-offer="{door.offers[1]}"] [value=arrived]').evaluate("button => button.click()")
        page.locator("#q").fill("李沐晨")
        page.wait_for_timeout(400)
        page.screenshot(path=str(Path(folder) / f"door-{short}-{390 if phone else 1280}.png"), full_page=True)
    for path in ("absent", "to-match", f"{door.offers[0]}/contact", "print"):
        page.goto(f"/staff/arrivals/{path}")
        assert_axe_clean(page)
        if folder:
            page.screenshot(
                path=str(Path(folder) / f"{path.split('/')[-1]}-{short}-{390 if phone else 1280}.png"), full_page=True
            )
