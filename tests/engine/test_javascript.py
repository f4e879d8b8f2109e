"""The second implementation, in Chromium: the same bytes on every market of the suite."""

import base64
import json
import re

import pytest

from allocation import files, lottery, solve, verify
from allocation.benchmark.synthetic import synthetic_market
from allocation.faults import MarketFault
from allocation.files import bundle
from allocation.files.codes import FORBIDDEN, is_code
from portal.text.words import table
from portal.web.shared_views.verify_views import PREFIXED, SAID
from tests.engine.bundles import packed
from tests.engine.cases import case
from tests.engine.combined_market import as_bundle, side_by_side
from tests.engine.market_collection import RULES, every_outcome, worked
from tests.engine.small_markets import tiny_market
from tests.engine.tampering import TAMPERINGS, entries_of, whole_bundle, zipped
from tests.engine.test_files import GOOD, as_bytes
from tests.engine.test_input_limits import gaps_and_blanks
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
    """A random round by its number: shape, pair rule, and a draw of its own or tickets from an earlier one."""
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


DEFINITIONS = {
    "as it is": (True, {}),
    "a precedence that is too large": (False, {"pools.csv": ("P1,general,2", "P1,general,9999999999")}),
    "the largest precedence": (True, {"pools.csv": ("P1,general,2", "P1,general,2147483647")}),
    "one more": (False, {"pools.csv": ("P1,general,2", "P1,general,2147483648")}),
    "a group that ends in a semicolon": (False, {"pools.csv": ("E7;E8", "E7;")}),
    "a group twice": (True, {"pools.csv": ("E7;E8", "E7;E7")}),
    "a pool name of blanks": (False, {"pools.csv": ("estate", " ")}),
    "a pool of a million and one places": (False, {"pools.csv": ("estate,1,1", "estate,1,1000001")}),
    "a locked general pool": (False, {"pools.csv": ("2,,,open", "2,,,locked")}),
    "ranks with gaps": (True, {"wishes.csv": ("C1,2,P2", "C1,9,P2")}),
    "ranks in another order": (True, {"wishes.csv": ("C1,1,P1,1\nC1,2,P2,0", "C1,7,P1,1\nC1,2,P2,0")}),
    "the largest rank": (True, {"wishes.csv": ("C1,2,P2", "C1,2147483647,P2")}),
    "a rank that is too large": (False, {"wishes.csv": ("C1,2,P2", "C1,2147483648,P2")}),
    "rank 0": (False, {"wishes.csv": ("C1,1,P1", "C1,0,P1")}),
    "a rank twice": (False, {"wishes.csv": ("C1,2,P2", "C1,1,P2")}),
    "a rank with a leading zero": (False, {"wishes.csv": ("C1,2,P2", "C1,02,P2")}),
    "tier 16": (False, {"wishes.csv": ("C1,2,P2,0", "C1,2,P2,16")}),
    "an empty line": (False, {"wishes.csv": ("C1,2,P2,0\n", "C1,2,P2,0\n\n")}),
    "carriage returns": (False, {"wishes.csv": ("\n", "\r\n")}),
    "no line end at the end": (True, {"wishes.csv": ("C4,1,P3,0\n", "C4,1,P3,0")}),
    "columns in another order": (
        True,
        {"tickets.csv": (GOOD["tickets.csv"], "ticket,child\n4,C1\n3,C2\n2,C3\n1,C4\n")},
    ),
    "a column twice": (False, {"tickets.csv": ("child,ticket", "child,ticket,child")}),
    "a byte order mark": (True, {"tickets.csv": ("child,ticket", "\ufeffchild,ticket")}),
    "a blank inside a code": (True, {"children.csv": ("C1,F1", "C1,F 1")}),
    "a blank before a code": (False, {"children.csv": ("C2,F2", "C2, F2")}),
    "a semicolon in a code": (True, {"children.csv": ("C1,F1", "C1,F;1")}),
    "a quotation mark": (False, {"children.csv": ("C2,F2", 'C2,"F2"')}),
    "a zero width space": (False, {"children.csv": ("C2,F2", "C2,F\u200b2")}),
    "a right-to-left mark in a unit": (False, {"children.csv": ("U1", "U\u200f1")}),
    "a letter and its accent apart": (False, {"children.csv": ("C2,F2", "C2,e\u0301")}),
    "a code of a hundred characters": (True, {"children.csv": ("C1,F1", "C1," + "家" * 100)}),
    "a code of a hundred and one": (False, {"children.csv": ("C1,F1", "C1," + "家" * 101)}),
    "a byte that is not UTF-8": (False, {"children.csv": (b"F2", b"\xff2")}),
    "a group that is no code": (False, {"children.csv": ("E7", ";E7")}),
    "an elder who is not older": (False, {"children.csv": ("E7,C4", "E7,C2")}),
    "a kindergarten with a line separator": (False, {"programmes.csv": ("K2", "K\u20282")}),
    "an area of a no-break space": (False, {"programmes.csv": ("GXQ", "\u00a0")}),
    "a million places": (True, {"programmes.csv": ("GXQ,1", "GXQ,1000000")}),
    "a million and one": (False, {"programmes.csv": ("GXQ,1", "GXQ,1000001")}),
    "the largest ticket": (True, {"tickets.csv": ("C2,3", "C2,4294967295")}),
    "a ticket that is too large": (False, {"tickets.csv": ("C2,3", "C2,4294967296")}),
    "no season and no round": (True, {"market.json": ('"season": "2026", "round": "main", ', "")}),
    "an empty season": (True, {"market.json": ("2026", "")}),
    "a season with a line end": (False, {"market.json": ("2026", "20\\n26")}),
    "half a character": (False, {"market.json": ("2026", "\\ud800")}),
    "a numeric season": (False, {"market.json": ('"2026"', "2026")}),
    "a null round": (False, {"market.json": ('"main"', "null")}),
    "a null pair rule": (False, {"market.json": ('"overhang"', "null")}),
    "no pair rule": (True, {"market.json": (', "pair_rule": "overhang"', "")}),
    "a numeric seed beside tickets": (False, {"market.json": ("null", "1" * 64)}),
    "a seed in capitals": (False, {"market.json": ("null", '"' + "AB" * 32 + '"')}),
    "an unknown key": (False, {"market.json": ('"season"', '"__proto__": {}, "season"')}),
    "another format": (False, {"market.json": ("market/1", "market/2")}),
    "UTF-16": (False, {"market.json": GOOD["market.json"].encode("utf-16")}),
    "UTF-8 with a mark": (True, {"market.json": GOOD["market.json"].encode("utf-8-sig")}),
    "nested JSON": (False, {"market.json": b"[" * 100_000 + b"]" * 100_000}),
    "not a number": (False, {"market.json": ("null", "NaN")}),
}


def market_with(changes):
    """The bytes of the files of a good market with some changed: another content, or a text for another."""
    market = as_bytes(GOOD)
    for name, change in changes.items():
        if isinstance(change, tuple):
            old, new = (part.encode() if isinstance(part, str) else part for part in change)
            assert old in market[name]
            change = market[name].replace(old, new) if old == b"\n" else market[name].replace(old, new, 1)
        market[name] = change
    return market


def solved_bundle(market):
    """The bundle of a market, and whether the engine takes it; with an empty result where it does not."""
    try:
        result = files.result_files(solve(files.parse_market(market)))
    except MarketFault:
        nothing = dict.fromkeys(files.RESULT_FILES, b"")
        return bundle.pack(market, bundle.DrawRecord("0" * 64), nothing), False
    return bundle.pack(market, bundle.DrawRecord(lottery.commitment(market)), result), True


def test_eng08_one_definition_of_a_market(check):
    bundles = [solved_bundle(market_with(changes)) for _, changes in DEFINITIONS.values()]
    found = check([data for data, _ in bundles])
    for (name, (expected, _)), (_, taken), one in zip(DEFINITIONS.items(), bundles, found, strict=True):
        assert taken == expected, name
        assert ("error" not in one) == expected, (name, one)
        assert not expected or all(ok for _, ok, *_ in one["steps"]), (name, one)


LEFT_OUT = object()
RECORDS = {
    "as it is": (True, {}), "no beacon": (True, {"beacon": LEFT_OUT}), "a null beacon": (False, {"beacon": None}),
    "a numeric ceremony": (False, {"ceremony": 3}), "half a character": (False, {"beacon": "\ud800"}),
    "an unknown key": (False, {"more": 1}), "a short commitment": (False, {"commitment": "ab"}),
    "a null commitment": (False, {"commitment": None}), "a numeric seed": (False, {"seed": 1}),
}  # fmt: skip


def test_eng08_one_definition_of_the_record_of_a_draw(check, tmp_path):
    whole = packed(tiny_market(7, children=8), drawn=False)
    entries = dict(entries_of(whole))
    bundles = []
    for _, change in RECORDS.values():
        record = {**json.loads(entries["draw.json"]), **change}
        record = {key: value for key, value in record.items() if value is not LEFT_OUT}
        bundles.append(zipped(list({**entries, "draw.json": json.dumps(record).encode()}.items())))
    for (name, (expected, _)), data, one in zip(RECORDS.items(), bundles, check(bundles), strict=True):
        (tmp_path / "bundle.zip").write_bytes(data)
        try:
            assert verify(tmp_path / "bundle.zip") == [] and expected, name
        except MarketFault:
            assert not expected, name
        assert ("error" not in one) == expected, (name, one)


def test_eng08_the_same_characters_are_in_no_code(page):
    """Every character of Unicode, inside a code, in both programs."""
    refused = page.evaluate(
        """async () => {
          const { isCode } = await import('/codes.js');
          const found = [];
          for (let each = 0; each < 0x110000; each++) {
            if (each < 0xd800 || each > 0xdfff) if (!isCode(`a${String.fromCodePoint(each)}b`)) found.push(each);
          }
          return JSON.stringify(found);
        }"""
    )
    ours = [each for each in range(0x110000) if not 0xD800 <= each <= 0xDFFF and not is_code(f"a{chr(each)}b")]
    named = {each for first, last in FORBIDDEN for each in range(first, last + 1)}
    differing = set(json.loads(refused)) ^ set(ours)
    assert differing.isdisjoint(named) and len(differing) < 100  # only in what one of them knows of form C


def test_eng04_the_same_bytes_with_gaps_and_blanks(check):
    found = check([packed(gaps_and_blanks(), drawn=drawn, with_summary=True) for drawn in (True, False)])
    assert_all_equal(found)


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
