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


def test_two_children_that_nobody_finds_are_both_noted(site, door, new_page):
    page = opens(site, new_page(), door.clerk)
    told, name = page.locator("#unknown [role=status]"), page.locator("#noted")
    page.get_by_label("找孩子").fill("没有的甲")
    expect(name).to_have_value("没有的甲")
    page.get_by_role("button", name="先记下来，晚点对").click()
    expect(told).to_have_text("“没有的甲”已记下，在“待核对”里。")
    expect(name).to_have_value("")
    page.get_by_label("找孩子").fill("没有的乙")
    expect(told).to_be_empty()
    page.get_by_role("button", name="先记下来，晚点对").click()
    expect(told).to_contain_text("没有的乙")
    name.fill("没有的丙")
    expect(told).to_be_empty()
    name.press("Enter")
    sent(page)
    page.reload()
    expect(page.get_by_role("link", name="待核对 3")).to_be_visible()


def test_a_child_that_has_arrived_can_be_undone_and_put_into_another_class_at_once(site, door, new_page):
    """The card after a tap offers what the page offers after a reload."""
    page = opens(site, new_page(), door.head)
    child = page.locator(f'#door [data-offer="{door.offers[0]}"]')
    page.get_by_label("找孩子").fill("李沐晨")
    child.get_by_role("button", name="李沐晨到了，进小一班").click()
    sent(page)
    page.locator("[data-tab=arrived]").click()
    expect(child.locator("summary")).to_contain_text("小一班")
    child.locator("summary").click()
    expect(child.get_by_role("button", name="李沐晨到了")).to_be_hidden()
    expect(child.locator("header")).to_contain_text("已报到")
    child.locator("[name=class_name][value=小二班]").check()
    child.get_by_role("button", name="换到选中的班").click()
    expect(child.locator("summary")).to_contain_text("小二班")
    sent(page)
    child.get_by_role("button", name="没有来，撤回报到").click()
    expect(page.locator(".cnt b")).to_have_text("0")
    sent(page)
    page.locator("[data-tab=expected]").click()
    expect(child.get_by_role("button", name="李沐晨到了")).to_be_visible()
    expect(child.get_by_role("button", name="没有来，撤回报到")).to_be_hidden()
    page.reload()
    expect(page.locator(".cnt b")).to_have_text("0")


def test_a_card_goes_back_to_what_the_server_has_when_a_tap_is_kept(site, door, new_page):
    """Both tablets are offline: on one the child arrives, on the other it had been noted by mistake and undone before."""
    one, other = opens(site, new_page(), door.clerk), opens(site, new_page(), door.head)
    for page in (one, other):
        page.context.set_offline(True)
    press = "([offer, act]) => document.querySelector(`#door [data-offer='${offer}'] [value=${act}]`).click()"
    one.evaluate(press, [door.offers[0], "arrived"])
    one.evaluate(press, [door.offers[0], "not_arrived"])
    one.wait_for_timeout(50)
    other.evaluate(press, [door.offers[0], "arrived"])
    other.context.set_offline(False)
    sent(other)
    one.context.set_offline(False)
    sent(one)
    child = one.locator(f'#door [data-offer="{door.offers[0]}"]')
    expect(child).to_have_attribute("data-state", "arrived")
    expect(child.locator(".kept")).to_contain_text("之后有更新的登记")
    expect(one.locator(".cnt b")).to_have_text("1")
    one.reload()
    expect(one.locator(".cnt b")).to_have_text("1")


def test_taps_of_a_clerk_of_another_kindergarten_stop_nobodys(site, door, new_page):
    """The clerk's taps wait in the tablet; somebody of another kindergarten signs in on it, and then the head of the first."""
    with site.session() as session, session.begin():
        town = Town(session, at(8, 20, 10))
        there = town.kindergarten("牡丹幼儿园", places=10)
        stranger = signed_in_key(session, town.clerk_of(there).account_id)
    page = opens(site, new_page(), door.clerk)
    page.context.set_offline(True)
    tick(page, door.offers[0], "health")
    expect(page.locator("#unsent")).to_contain_text("未上传 1 条")
    page.context.set_offline(False)
    page.route("**/arrivals/exchange*", lambda route: route.abort("internetdisconnected"))
    opens(site, page, stranger, "/staff/arrivals?q=没有的甲")
    page.get_by_role("button", name="先记下来，晚点对").click()
    expect(page.locator("#unsent")).to_contain_text("未上传 2 条")
    page.unroute("**/arrivals/exchange*")
    expect(page.locator("#unsent")).to_contain_text("未上传 1 条", timeout=60_000)
    expect(page.locator("#unsent")).to_contain_text("其中 1 条是另一所幼儿园的")
    opens(site, page, door.head)
    sent(page)
    with site.session() as session:
        who = text("SELECT count(*) FROM audit_entry WHERE act = 'send_tap_of_colleague' AND details ? 'tapped_by'")
        assert session.execute(who).scalar_one() == 1


def test_a_tap_with_which_a_request_fails_stops_no_other(site, door, new_page):
    page = opens(site, new_page(), door.clerk)
    fails = door.offers[0]

    def fail_with_one_child(route):
        if fails in (route.request.post_data or ""):
            route.fulfill(status=400)
        else:
            route.continue_()

    page.route("**/arrivals/exchange*", fail_with_one_child)
    for offer in door.offers[:6]:
        tick(page, offer, "health")
    expect(page.locator("#unsent")).to_contain_text("未上传 1 条", timeout=60_000)
    assert taps_of(site) == (5, 5)
    page.unroute("**/arrivals/exchange*")
    sent(page)
    assert taps_of(site) == (6, 6)


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
