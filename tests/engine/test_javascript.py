"""The second implementation, in Chromium: the same bytes on every market of the suite, and every change found."""

import base64
import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from allocation.synthetic import synthetic_market
from tests.engine.bundles import packed
from tests.engine.cases import case, market_of
from tests.engine.test_cases import sibling_market
from tests.engine.test_command_line import edit, repacked
from tests.engine.tiny import tiny_market
from tests.support.chromium import open_context

pytestmark = pytest.mark.browser

VERIFIER = Path(__file__).parents[2] / "portal" / "static" / "verify"
CHECK = """async (bundles) => {
  const { verify, decided } = await import('/verify.js');
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const found = [];
  for (const text of bundles) {
    try {
      const { steps, state } = await verify(bytes(text));
      const wishes = state.children.code.map((code) => decided(state, code).wishes.map((w) => w.reason));
      found.push({ steps: steps.map(({ step, ok, detail }) => [step, ok, detail]), wishes });
    } catch (error) { found.push({ error: error.message }); }
  }
  return found;
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves the verifier's files and an empty page, and says nothing."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        return self.wfile.write(b"<!doctype html><title>verifier</title>")


@pytest.fixture(scope="module")
def check(browser):
    """A function from bundles to what the verifier found in each."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(VERIFIER)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = open_context(browser, phone=False)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
    yield lambda bundles: page.evaluate(CHECK, [base64.b64encode(one).decode() for one in bundles])
    context.close()
    server.shutdown()
    server.server_close()


def tiny_bundles(rule, **shape):
    return [
        packed(
            tiny_market(number, pair_rule=rule, **shape),
            drawn=number % 2 == 0,
            beacon="" if number % 5 == 0 else "道 1",
        )
        for number in range(60)
    ]


@pytest.mark.parametrize("rule", ["overhang", "close"])
@pytest.mark.parametrize("shape", [
    {"children": 6, "units": False, "pools": False},
    {"children": 8},
    {"children": 12, "programmes": 4, "siblings": True, "current": True},
])  # fmt: skip
def test_the_same_bytes_on_every_tiny_market(check, rule, shape):
    for number, found in enumerate(check(tiny_bundles(rule, **shape))):
        assert "error" not in found, (number, found)
        assert all(ok for _, ok, _ in found["steps"]), (number, found["steps"])
        assert [step for step, _, _ in found["steps"]][-3:] == ["placements.csv", "cutoffs.csv", "reasons.csv"]
    assert found["wishes"]


def test_the_same_bytes_on_the_worked_cases(check):
    told = [case(number) for number in ("01", "04", "09", "11", "15", "19", "20", "25")]
    markets = [market_of(one, rule)[0] for one in told for rule in ("overhang", "close")]
    markets += [market_of(case("15"), unclaimed="locked")[0], sibling_market(case("23"), True)]
    for found in check([packed(market, drawn=False) for market in markets]):
        assert all(ok for _, ok, _ in found["steps"]), found


def test_the_same_bytes_on_a_town(check):
    market = synthetic_market(3_000, units=True, pools=True, codes=True)
    [found] = check([packed(market)])
    assert all(ok for _, ok, _ in found["steps"]), found["steps"]
    assert sum(map(len, found["wishes"])) == len(market.programme)


@pytest.mark.parametrize("name,change,step", [
    ("result/placements.csv", lambda data: data.replace(b",1,", b",2,", 1), "placements.csv"),
    ("result/reasons.csv", lambda data: data + b"x", "reasons.csv"),
    ("result/cutoffs.csv", lambda data: data[:-1], "cutoffs.csv"),
    ("market/wishes.csv", lambda data: data.rstrip()[:-1] + b"9\n", "commitment"),
    ("draw.json", edit(beacon="1"), "seed"),
])  # fmt: skip
def test_every_change_to_a_bundle_is_found(check, tmp_path, name, change, step):
    (tmp_path / "good.zip").write_bytes(packed(tiny_market(7, children=8)))
    repacked(tmp_path / "good.zip", tmp_path / "bad.zip", name, change)
    [found] = check([(tmp_path / "bad.zip").read_bytes()])
    assert step in [name for name, ok, _ in found["steps"] if not ok]


def test_what_is_no_bundle_is_said_to_be_none(check, tmp_path):
    (tmp_path / "good.zip").write_bytes(packed(tiny_market(7, children=8)))
    repacked(tmp_path / "good.zip", tmp_path / "bad.zip", "market/children.csv", None)
    found = check([b"hello", b"PK" + b"0" * 60, (tmp_path / "bad.zip").read_bytes()])
    assert [one["error"] for one in found] == ["not a zip file", "not a zip file", "children.csv: missing"]
