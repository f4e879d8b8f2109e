"""What a family's pages weigh on the way, through the real server and its proxy, and how they behave on a slow line."""

import pytest
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from enrollment.ground.db import open_engine
from enrollment.ground.demo_clock import DemoClock
from portal.operations.embedded import Postgres
from portal.web.clock import real_now
from tests.browser.test_officials_season_pages import signed_in_key
from tests.conftest import NOW
from tests.operations.serving import serving
from tests.support import chromium
from tests.support.keys import write_key_file
from tests.support.town import Town

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.browser]

FIRST, NEXT, MAP = 60_000, 15_000, 80_000
"""Bytes over the wire, with headers: the first page of a family, each one after it, and the map beside its page."""

LARGEST_PAINT, SLOW_4G = (
    2500,
    {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000},
)
"""Milliseconds; 150 ms, 1.6 Mbit/s and 750 kbit/s, which Lighthouse calls slow 4G."""

PAGES = ["tasks", "child", "household", "grounds", "evidence", "wishes", "check"]

OBSERVE = """
window.seen = { paint: 0, shift: 0 };
new PerformanceObserver((list) => { for (const each of list.getEntries()) seen.paint = each.startTime; }).observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => { for (const each of list.getEntries()) if (!each.hadRecentInput) seen.shift += each.value; }).observe({ type: "layout-shift", buffered: true });
"""


class Wire:
    """Counts the bytes of every answer, with its headers, as the browser received them."""

    def __init__(self, page: Page):
        self.page, self.bytes = page, 0
        self.cdp = page.context.new_cdp_session(page)
        self.cdp.send("Network.enable")
        self.cdp.on("Network.loadingFinished", self._count)

    def _count(self, event: dict) -> None:
        self.bytes += int(event["encodedDataLength"])

    def weigh(self, address: str) -> int:
        self.bytes = 0
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")
        return self.bytes


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """(address of the portal, key of a session, address of a draft)"""
    folder = tmp_path_factory.mktemp("weight")
    key_file = write_key_file(folder / "keys.json")
    with serving(folder / "var", KEY_FILE=str(key_file), DEMO="1") as portal:
        portal.hear("ready at")
        engine = open_engine(Postgres(folder / "var" / "postgres", folder / "var").url("portal"))
        with Session(engine, expire_on_commit=False) as session, session.begin():
            session.add(DemoClock(ahead=NOW - real_now()))
            town = Town(session, NOW)
            gardens = [town.kindergarten(f"第{n}幼儿园", places=30) for n in range(3)]
            li = town.family("李")
            ana = town.child("李沐晨", family=li, wishes=gardens, submit=False)
            key, address = signed_in_key(session, li.account.id), f"/parents/applications/{ana.id}"
        engine.dispose()
        yield f"http://127.0.0.1:{portal.port}", key, address


@pytest.fixture
def phone(family, browser):
    url, key, _ = family
    context = chromium.open_context(browser, phone=True, base_url=url)
    context.add_cookies([{"name": "session", "value": key, "url": url}])
    context.add_init_script(OBSERVE)
    yield context.new_page()
    context.close()


def test_a_family_page_is_light_and_does_not_move(family, phone):
    """The first page with an empty cache, then each page of the form, then the map; and the first page on slow 4G."""
    _url, _key, address = family
    wire = Wire(phone)
    weights = {"/parents": wire.weigh("/parents")}
    weights |= {name: wire.weigh(f"{address}/{name}") for name in PAGES}
    list_page = wire.weigh("/kindergartens")
    weights["map"] = wire.weigh("/kindergartens?view=map")
    print(weights, list_page)
    assert weights.pop("/parents") <= FIRST
    assert weights.pop("map") <= MAP
    assert {name: size for name, size in weights.items() if size > NEXT} == {}


def test_the_first_page_is_painted_in_time_on_a_slow_line_and_nothing_moves(family, phone):
    _url, _key, address = family
    wire = Wire(phone)
    wire.cdp.send("Network.emulateNetworkConditions", SLOW_4G)
    for number, path in enumerate(["/parents", *(f"{address}/{name}" for name in PAGES)]):
        if number < 2:
            wire.cdp.send("Network.clearBrowserCache")
        wire.weigh(path)
        seen = phone.evaluate("seen")
        print(path.rpartition("/")[2], seen)
        assert 0 < seen["paint"] <= LARGEST_PAINT, path
        assert seen["shift"] < 0.01, path
