"""What a family's pages weigh on the way, through the real server and its proxy, and how they behave on a slow line."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page
from sqlalchemy import delete
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

PAGES = [
    "tasks",
    "child",
    "household",
    "grounds",
    "evidence",
    "wishes",
    "wishes/add",
    "kindergartens/5101040001",
    "check",
]
PUBLIC = ["/", "/kindergartens", "/kindergartens/5101040001", "/sign-in"]

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


@dataclass
class Family:
    """A served portal with a family: `draft` and `handed_in` are addresses of applications, `town` has its rows."""

    url: str
    key: str
    draft: str
    handed_in: str
    town: Town

    def set_time(self) -> None:
        self.town.session.execute(delete(DemoClock))
        self.town.session.add(DemoClock(ahead=self.town.now - real_now()))
        self.town.session.commit()


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weight")
    key_file = write_key_file(folder / "keys.json")
    with serving(folder / "var", KEY_FILE=str(key_file), DEMO="1") as portal:
        portal.hear("ready at", seconds=300)
        engine = open_engine(Postgres(folder / "var" / "postgres", folder / "var").url("portal"))
        with Session(engine, expire_on_commit=False) as session:
            town = Town(session, NOW)
            gardens = [
                town.kindergarten(f"第{n}幼儿园", code=f"510104000{n}", places=30, longitude=104.08, latitude=30.65)
                for n in range(1, 4)
            ]
            li = town.family("李")
            ana = town.child("李沐晨", family=li, wishes=gardens, submit=False)
            ben = town.child("李沐阳", family=li, wishes=gardens[:2])
            key = signed_in_key(session, li.account.id)
            paths = [f"/parents/applications/{each.id}" for each in (ana, ben)]
            found = Family(f"http://127.0.0.1:{portal.port}", key, *paths, town)
            found.set_time()
            yield found
        engine.dispose()


@pytest.fixture
def phone(family, browser):
    context = chromium.open_context(browser, phone=True, base_url=family.url)
    context.add_cookies([{"name": "session", "value": family.key, "url": family.url}])
    context.add_init_script(OBSERVE)
    yield context.new_page()
    context.close()


def test_p9_a_family_page_is_light_and_does_not_move(family, phone):
    """The first page with an empty cache, then each page of the form, then the map; and the first page on slow 4G."""
    wire = Wire(phone)
    weights = {"/parents": wire.weigh("/parents")}
    weights |= {name: wire.weigh(f"{family.draft}/{name}") for name in PAGES}
    list_page = wire.weigh("/kindergartens")
    weights["map"] = wire.weigh("/kindergartens?view=map")
    print(weights, list_page)
    assert weights.pop("/parents") <= FIRST
    assert weights.pop("map") <= MAP
    assert {name: size for name, size in weights.items() if size > NEXT} == {}


def paints(phone: Page, paths: list[str], *, empty: int = 0) -> None:
    """Open each page on slow 4G, the first `empty` of them with an empty cache; check when it is painted and that nothing moves."""
    wire = Wire(phone)
    wire.cdp.send("Network.emulateNetworkConditions", SLOW_4G)
    slow = {}
    for number, path in enumerate(paths):
        if number < empty:
            wire.cdp.send("Network.clearBrowserCache")
        wire.weigh(path)
        seen = phone.evaluate("seen")
        answer = phone.evaluate("performance.getEntriesByType('navigation')[0].responseStart")
        print(
            f"{path} {seen['paint']:.0f} ms, moved {seen['shift']:.4f}, {wire.bytes} bytes, answered after {answer:.0f} ms"
        )
        if not 0 < seen["paint"] <= LARGEST_PAINT or seen["shift"] >= 0.01:
            slow[path] = seen
    assert slow == {}


def test_public_pages_are_painted_in_time_on_a_slow_line_and_nothing_moves(family, phone):
    """Each with an empty cache: anybody may come to any of them first."""
    phone.context.clear_cookies()
    paints(phone, PUBLIC, empty=len(PUBLIC))


def test_pages_of_a_family_are_painted_in_time_on_a_slow_line_and_nothing_moves(family, phone):
    paints(
        phone,
        ["/parents", *(f"{family.draft}/{name}" for name in PAGES), family.handed_in, "/parents/messages"],
        empty=2,
    )


def test_the_result_is_painted_in_time_on_a_slow_line_and_nothing_moves(family, phone):
    """The last test of the file: it ends the registration."""
    family.town.drawn()
    family.set_time()
    paints(phone, [f"{family.handed_in}/result", family.handed_in, "/parents"], empty=2)
    assert phone.locator("h1").count()
