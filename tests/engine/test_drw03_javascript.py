"""The page's program on public files, openings and full files of draw/2: it finds what the command finds."""

import base64
import json

import pytest

from allocation.draw_form import DrawForm, DrawFormError
from tests.engine.cheats import AUDITOR, CHEATS, FAMILY, PUBLIC
from tests.engine.honest_draws import honest, replay, siblings, town
from tests.engine.test_drw03_bad_openings import is_entry
from tests.engine.test_drw03_planted_cheats import SHAPES, SHAPES_OF_A_WISH
from tests.engine.test_drw03_three_files import a_round
from tests.engine.three_files import FORM, entries_of
from tests.support.chromium import open_context
from tests.support.verifier import served

pytestmark = pytest.mark.browser

CHECK = """async (given) => {
  const { verify } = await import('/verify.js');
  const { readOpening } = await import('/opening.js');
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const attempt = async (work) => {
    try { return await work(); } catch (error) { return { error: error.word || String(error) }; }
  };
  const wrong = (steps) => steps.filter(({ ok }) => !ok).map(({ word }) => word);
  const found = [];
  for (const { full, open, openings } of JSON.parse(given)) {
    const audited = await attempt(async () => verify(new Blob([bytes(full)])));
    const compared = audited.compare ? await attempt(async () => audited.compare(new Blob([bytes(open)]))) : [];
    const seen = await attempt(async () => verify(new Blob([bytes(open)])));
    const families = [];
    for (const one of openings) {
      families.push(await attempt(async () => {
        const { steps, found } = seen.open(readOpening(new TextEncoder().encode(JSON.stringify(one))));
        return { words: wrong(steps), steps: steps.map(({ step }) => step), reasons: found.wishes.map(({ reason }) => reason) };
      }));
    }
    found.push({
      auditor: audited.error ? [audited.error] : [...wrong(audited.steps), ...(compared.error ? [compared.error] : wrong(compared))],
      compared: compared.error ? [] : compared.map(({ step }) => step), commitment: audited.record?.commitment,
      public: seen.error ? [seen.error] : wrong(seen.steps), steps: (seen.steps || []).map(({ step }) => step), families,
    });
  }
  return JSON.stringify(found);
}"""


PUBLIC_FILES = (
    "draw.json", "public.json", "market.json", "programmes.csv", "pools.csv", "blocks.csv", "orders.csv", "digests.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(browser):
    with served() as address:
        context = open_context(browser, phone=False)
        page = context.new_page()
        page.goto(address)
        yield page
        context.close()


def read(page, published):
    """What the page finds in each of the published files, with the openings of the families that look."""
    given = [
        {
            "full": base64.b64encode(one.full).decode(), "open": base64.b64encode(one.zip).decode(),
            "openings": [one.openings[child] for child in one.harmed],
        }
        for one in published
    ]  # fmt: skip
    return json.loads(page.evaluate(CHECK, json.dumps(given)))


def everybody(draw):
    published = honest(draw)
    published.harmed = list(published.openings)
    return published


@pytest.mark.long
def test_the_page_finds_what_the_command_finds(page):
    published = [cheat.make() for cheat in CHEATS.values()]
    for (name, cheat), one, found in zip(CHEATS.items(), published, read(page, published), strict=True):
        words = {PUBLIC: found["public"], FAMILY: [word for each in found["families"] for word in each["words"]]}
        words[AUDITOR] = found["auditor"]
        if one.known != found["commitment"]:
            for reader in (PUBLIC, AUDITOR):
                words[reader].append("wrong_site")  # the page compares with the commitments that the site has published
        expected = {reader: word for reader, (_, word) in cheat.finds.items() if word}
        assert {reader for reader, said in words.items() if said} == set(expected), (name, words)
        for reader, word in expected.items():
            assert word in words[reader], (name, words)


@pytest.mark.parametrize("draws", [
    [town, siblings, replay],
    [lambda number=number: a_round(number) for number in range(42)],
])  # fmt: skip
def test_the_page_finds_nothing_in_an_honest_draw(page, draws):
    made = [draw() for draw in draws]
    for draw, found in zip(made, read(page, [everybody(draw) for draw in made]), strict=True):
        assert not found["public"] and not found["auditor"], found
        assert found["steps"] == ["files", "commitment", "seed", "digests", "blocks", "orders", "places", "seats"]
        assert found["compared"] == [f"public_{name}" for name in PUBLIC_FILES if name in entries_of(draw.public)]
        for one, told in zip(draw.openings.values(), found["families"], strict=True):
            assert told["words"] == [] and told["steps"] == ["opening_facts", "opening_ticket", "opening_result"]
            placed = [reason == "placed" for reason in told["reasons"]]
            ranks = [wish["rank"] for wish in one["wishes"]]
            assert [rank for rank, here in zip(ranks, placed, strict=True) if here] == (
                [one["result"]["rank"]] if one["result"] else []
            )


def test_openings_of_another_shape_are_refused_as_by_the_command(page):
    published = honest(town())
    good = next(one for one in published.openings.values() if one["wishes"])
    wishes = [[{**good["wishes"][0], **change}, *good["wishes"][1:]] for change in SHAPES_OF_A_WISH]
    bad = [{**good, **change} for change in ({"salt": 7}, *SHAPES.values(), *({"wishes": each} for each in wishes))]
    published.openings = {str(number): one for number, one in enumerate([*bad, good])}
    published.harmed = list(published.openings)
    [found] = read(page, [published])
    assert found["families"][:-1] == [{"error": "bad_opening"}] * len(bad)
    assert found["families"][-1]["words"] == []


def test_a_place_in_a_block_that_is_not_there_is_none(page):
    published = honest(replay())
    one = next(one for one in published.openings.values() if one["facts"]["current"] and one["result"])
    row = next(
        row
        for row, cells in enumerate(published.rows("orders.csv"))
        if cells[4] and is_entry(cells[2], one, str(one["run"]))
    )
    published.cell("orders.csv", row, "block", "999")
    published.openings, published.harmed = {"it": one}, ["it"]
    [found] = read(page, [published])
    assert "wrong_blocks" in found["public"] and "wrong_guaranteed" in found["families"][0]["words"]


def _forms():
    """Forms with one field changed, and whether they are forms."""
    good = FORM.declared()
    yield good
    for part, field, values in (
        ("ceremony", "count", [0, 1, 100, 101, 1.5, "3", None, True]),
        ("ceremony", "most", [0, 1, 10**9, 10**9 + 1]),
        ("ceremony", "distinct", [True, 1]),
        ("ceremony", "order", ["sorted", "other"]),
        ("ceremony", "kind", ["hex", "numbers"]),
        ("ceremony", "more", [1]),
        ("beacon", "name", ["", " x", "x" * 200, "x" * 201, "𠮷" * 200, "a\u200bb", "a b", "a\u00a0b", None]),
        ("beacon", "issue", [None, "", "1"]),
        ("beacon", "published_at", [None, "2026-06-04T13:15:00", "2026-02-30T13:15:00Z", "2026-06-04T24:00:00Z"]),
        (
            "beacon",
            "groups",
            [[], good["beacon"]["groups"][:1], good["beacon"]["groups"] * 5, good["beacon"]["groups"] * 6],
        ),
    ):
        for value in values:
            yield {**good, part: {**good[part], field: value}}
    hexadecimal = {"kind": "hex", "digits": 64, "name": "drand", "issue": None, "published_at": None}
    yield from (
        {**good, "beacon": None},
        {**good, "ceremony": None},
        {"ceremony": None, "beacon": None},
        {**good, "x": 1},
    )
    yield from ({**good, "beacon": {**hexadecimal, "digits": digits}} for digits in (0, 1, 64, 256, 257))


def _is_form(declared):
    try:
        return DrawForm.parse(declared).declared() == declared
    except DrawFormError:
        return False


def test_one_definition_of_a_form(page):
    forms = list(_forms())
    ours = [_is_form(form) for form in forms]
    theirs = page.evaluate(
        "async (forms) => { const { isForm } = await import('/draw_form.js'); return forms.map(isForm); }", forms
    )
    differing = [form for form, one, other in zip(forms, ours, theirs, strict=True) if one != other]
    assert not differing and {*ours} == {True, False}


TEXTS = (
    "3 5 6", "3 5", "3 5 6 1", "03 5 6", "3  5 6", " 3 5 6", "3 5 6 ", "3 5 7", "0 5 6", "3,5,6", "3 5 ６", "", "-3 5 6", "3.0 5 6",
    "2 7 11 19 23 31 + 9", "7 2 11 19 23 31 + 9", "2 2 11 19 23 31 + 9", "2 7 11 19 23 31+9", "2 7 11 19 23 31", "2 7 11 19 23 34 + 9",
    "ab", "AB", "a", "abc", "g0",
)  # fmt: skip


def test_one_spelling_of_a_value(page):
    parts = [
        FORM.ceremony,
        FORM.beacon,
        DrawForm.parse({"ceremony": {"kind": "hex", "digits": 2}, "beacon": None}).ceremony,
    ]
    for part in parts:
        ours = []
        for text in TEXTS:
            try:
                ours.append(part.canonical_text(text) == text)
            except DrawFormError:
                ours.append(False)
        theirs = page.evaluate(
            "async ([part, texts]) => { const { isSpelled } = await import('/draw_form.js'); return texts.map((t) => isSpelled(part, t)); }",
            [part.declared(), TEXTS],
        )
        assert theirs == ours and any(ours)
