"""The second implementation, in Chromium: the same bytes on every market of the suite."""

import base64
import json
import re

import pytest

from allocation.synthetic import synthetic_market
from portal.public.verify_draw import PREFIXED, SAID
from portal.text.words import table
from tests.engine.bundles import packed
from tests.engine.cases import case
from tests.engine.every_market import RULES, every_outcome, worked
from tests.engine.one_city import as_bundle, side_by_side
from tests.engine.tampering import TAMPERINGS, whole_bundle
from tests.engine.tiny import tiny_market
from tests.support.chromium import open_context
from tests.support.verifier import VERIFIER, served

pytestmark = pytest.mark.browser

CHECK = """async (bundles) => {
  const { verify } = await import('/verify.js');
  const { decided } = await import('/family.js');
  const found = [];
  for (const text of bundles) {
    try {
      const blob = new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]);
      const { steps, remarks, state, ticket } = await verify(blob);
      const codes = Array.from({ length: ticket.length }, (_, child) => state.market.children.codes.text(child));
      const wishes = codes.map((code) => decided(state, ticket, code).wishes.map(({ reason }) => reason));
      found.push({ steps: steps.map(({ step, ok, word, values }) => [step, ok, word, values]), remarks, wishes });
    } catch (error) { found.push({ error: error.word || String(error), values: error.values }); }
  }
  return JSON.stringify(found);  // a text passes to Python in a tenth of the time of so many values
}"""


@pytest.fixture(scope="module")
def page(browser):
    with served() as address:
        context = open_context(browser, phone=False)
        page = context.new_page()
        page.goto(address)
        yield page
        context.close()


@pytest.fixture(scope="module")
def check(page):
    """A function from bundles to what the verifier found in each."""
    return lambda bundles: found_in(page, bundles)


def found_in(page, bundles):
    return json.loads(page.evaluate(CHECK, [base64.b64encode(one).decode() for one in bundles]))


def assert_all_equal(found, names=None):
    for number, one in enumerate(found):
        assert "error" not in one and all(ok for _, ok, *_ in one["steps"]), (names[number] if names else number, one)


SHAPES = (
    {"children": 6, "units": False, "pools": False},
    {"children": 8},
    {"children": 12, "programmes": 4, "siblings": True, "current": True},
    {"children": 9, "programmes": 4, "siblings": True, "pools": False},
    {"children": 10, "programmes": 4, "current": True, "units": False},
)


def a_round(number):
    """One of endless random rounds: shape, pair rule, and a draw of its own or tickets from an earlier one."""
    rule, contrary = ("overhang", "close")[number // 5 % 2], number // 10 % 2 == 1
    market = tiny_market(number, pair_rule=rule, contrary=contrary, **SHAPES[number % 5])
    return packed(
        market, drawn=number % 3 > 0, beacon="" if number % 7 == 0 else f"道 {number}", ceremony=f"{number % 6}"
    )


@pytest.mark.long
def test_the_same_bytes_on_a_thousand_rounds(check):
    steps, reasons = set(), set()
    for start in range(0, 1_000, 250):
        found = check([a_round(number) for number in range(start, start + 250)])
        assert_all_equal(found)
        steps |= {tuple(step for step, *_ in one["steps"]) for one in found}
        reasons |= {reason for one in found for wishes in one["wishes"] for reason in wishes}
    compared = ("placements.csv", "cutoffs.csv", "reasons.csv", "figures")
    assert steps == {("files", "commitment", *compared), ("files", "commitment", "seed", *compared)}
    assert reasons == set(table()["reason"])


def test_the_same_bytes_on_the_worked_cases(check):
    assert_all_equal(check([packed(market, drawn=False) for market in worked()]))


@pytest.mark.long
@pytest.mark.parametrize("rule", RULES)
def test_the_same_bytes_on_every_market_of_the_suite(check, rule):
    outcomes = every_outcome(rule)
    assert len(outcomes) > 3_500
    assert_all_equal(check([as_bundle(side_by_side(outcomes))]))


def test_the_same_bytes_on_a_town_with_its_summary(check):
    market = synthetic_market(4_000, units=True, pools=True, codes=True)
    [found] = check([packed(market, with_summary=True)])
    assert_all_equal([found])
    assert sum(map(len, found["wishes"])) == len(market.programme)


def test_the_lottery_vector(page):
    told = case("24")
    rows = "".join(f"{code},{told['families'].get(code, code)},,,,\n" for code in told["ids"])
    drawn = page.evaluate(
        """async ([seed, children]) => {
          const { drawTickets } = await import('/draw.js');
          const { readMarket } = await import('/market.js');
          const files = { 'market.json': '{"format":"market/1"}', 'children.csv': children,
            'programmes.csv': 'programme,kindergarten,level,nature,area,places,sibling_tier\\n',
            'wishes.csv': 'child,rank,programme,tier\\n' };
          const bytes = new Map(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)]));
          return Array.from(drawTickets(seed, readMarket(bytes, () => {}).children, () => {}));
        }""",
        [told["seed_sha256"], "child,family,unit,groups,elder,current\n" + rows],
    )
    order = [code for _, code in sorted(zip(drawn, told["ids"], strict=True))]
    assert order == told["expected"]["order_best_first"]


def test_every_tampering_is_found_and_named(check):
    found = check([tampering.change(whole_bundle()) for tampering in TAMPERINGS.values()])
    for (name, tampering), one in zip(TAMPERINGS.items(), found, strict=True):
        words = (
            [one.get("error")] + [word for _, ok, word, _ in one.get("steps", []) if not ok] + one.get("remarks", [])
        )
        assert tampering.word in words, (name, one)
        assert tampering.status or all(ok for _, ok, *_ in one["steps"]), (name, one)


def test_every_word_that_the_script_may_say_is_there():
    """Words in quotation marks after `say(`, `Fault(`, `refuse(` and `outcome(…, false,` are codes of the page's words."""
    known = {word for group in SAID for word in table()[group]}
    known |= {prefix + word for group, prefix in PREFIXED.items() for word in table()[group]} | {
        *table()["reason"],
        "colon",
    }
    source = "\n".join(path.read_text("utf-8") for path in VERIFIER.glob("*.js"))
    used = set(re.findall(r'"((?:bad|wrong|fact|pool|remark|why|result|found|not|all)_[a-z_]+)"', source))
    assert len(used) > 50
    assert used <= known, used - known
    assert {tampering.word for tampering in TAMPERINGS.values()} <= known
