"""What a researcher imports: markets from tables of codes, results by codes."""

import numpy as np
import pytest

import allocation
from allocation import Market, MarketFault, Outcome, explain, files, simulate, solve, verify
from allocation.by_code import Cutoff, Placement, WishReason
from tests.engine.bundles import packed, with_codes
from tests.engine.small_markets import tiny_market
from tests.engine.test_files import GOOD, as_bytes

PROGRAMMES = {"programme": ["rose", "lily"], "places": [1, 1]}
CHILDREN = {"child": ["ann", "ben"]}
WISHES = {"child": ["ann", "ben", "ben"], "programme": ["rose", "rose", "lily"]}
TICKETS = {"child": ["ann", "ben"], "ticket": [1, 2]}


def columns_of(data: bytes) -> dict[str, list[str]]:
    header, *rows = [line.split(",") for line in data.decode().splitlines()]
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


def frames_of(written: dict[str, bytes]) -> dict[str, dict[str, list[str]]]:
    return {name.removesuffix(".csv"): columns_of(data) for name, data in written.items() if name.endswith(".csv")}


def test_eng11_every_public_name_is_there_and_documented():
    for name in allocation.__all__:
        value = getattr(allocation, name)
        assert isinstance(value, str) or value.__doc__, name
    assert allocation.simulate is simulate
    with pytest.raises(AttributeError, match="has no attribute 'guess'"):
        allocation.guess  # noqa: B018


@pytest.mark.parametrize("number", range(12))
def test_eng11_frames_and_files_make_the_same_market(number):
    market = with_codes(tiny_market(number, children=8, siblings=number % 2 == 1, current=number % 3 == 0))
    written = files.market_files(market)
    built = Market.from_frames(**frames_of(written), pair_rule=market.pair_rule)
    assert files.market_files(built) == files.market_files(files.parse_market(written))
    assert files.result_files(solve(built)) == files.result_files(solve(market))


def test_eng11_what_may_be_left_out_of_frames():
    market = Market.from_frames(PROGRAMMES, CHILDREN, WISHES, tickets=TICKETS)
    assert (market.tier.tolist(), market.offsets.tolist(), market.rank) == ([0, 0, 0], [0, 1, 3], None)
    assert market.level.tolist() == [1, 1] and market.nature.tolist() == [0, 0] and market.family.tolist() == [0, 1]
    undrawn = Market.from_frames(PROGRAMMES, CHILDREN, WISHES)
    with pytest.raises(MarketFault, match="have not been drawn"):
        solve(undrawn)
    drawn = Market.from_frames(PROGRAMMES, CHILDREN, WISHES, seed="5e" * 32, season="2026")
    assert sorted(drawn.ticket.tolist()) == [1, 2] and drawn.season == "2026"


def test_eng11_cells_of_every_kind():
    children = {
        "child": np.array([101, 102, 103]), "unit": [float("nan"), "t", "t"], "family": ["f", "g", "g"],
        "groups": [["east", "west"], (), {"east"}], "elder": [None, None, ""],
    }  # fmt: skip
    wishes = {"child": [101, 102, 103], "programme": ["p"] * 3, "tier": [1.0, 2.0, 3.0]}
    pools = {"programme": ["p"], "pool": ["near"], "precedence": [1], "places": [1], "groups": ["east"]}
    market = Market.from_frames(
        {"programme": ["p"], "places": [2]}, children, wishes, pools, {"child": [103, 102, 101], "ticket": [1, 2, 3]}
    )
    assert list(map(str, market.codes.children)) == ["101", "102", "103"]
    assert market.tier.tolist() == [1, 2, 3] and market.unit.tolist() == [-1, 0, 0]
    assert np.diff(market.group_start).tolist() == [2, 0, 1] and market.ticket.tolist() == [3, 2, 1]


@pytest.mark.parametrize("change,expected", [
    ({"wishes": {**WISHES, "programme": ["rose", "tulip", "lily"]}}, "wishes, row 1, column programme: no such programme"),
    ({"wishes": {**WISHES, "tier": [0, 0.5, 0]}}, "wishes, row 1, column tier: not a whole number"),
    ({"wishes": {**WISHES, "tier": [0, True, 0]}}, "wishes, row 1, column tier: not a whole number"),
    ({"wishes": {**WISHES, "tier": [0, 0]}}, "wishes: columns of different lengths: 2, 3"),
    ({"wishes": {"child": ["ann"]}}, "wishes, column programme: the column is missing"),
    ({"children": {**CHILDREN, "colour": ["red", "blue"]}}, "children, column colour: an unknown column"),
    ({"children": {"child": ["ann", "ann"]}}, "children, row 1, column child: the code stands twice"),
    ({"children": {"child": ["ann", "\ud800"]}}, "children, row 1, column child: missing, or not a code"),
    ({"children": {"child": ["ann", None]}}, "children, row 1, column child: missing, or not a code"),
    ({"programmes": {**PROGRAMMES, "places": [1, None]}}, "programmes, row 1, column places: not a whole number"),
    ({"tickets": {"child": ["ann"], "ticket": [1]}}, "children, row 1, column child: the child has no ticket"),
    ({"pair_rule": "strict"}, "market, column pair_rule: strict is neither overhang nor close"),
    ({"seed": "12"}, "market, column seed: a seed is 64 hex digits"),
])  # fmt: skip
def test_eng11_faults_of_frames_name_table_row_and_column(change, expected):
    with pytest.raises(MarketFault) as caught:
        Market.from_frames(**{"programmes": PROGRAMMES, "children": CHILDREN, "wishes": WISHES, **change})
    assert any(line.startswith(expected) for line in caught.value.lines()), caught.value.lines()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_eng11_data_frames(library):
    frame = pytest.importorskip(library).DataFrame
    plain = {
        "programmes": PROGRAMMES,
        "children": {**CHILDREN, "elder": [None, None]},
        "wishes": WISHES,
        "tickets": TICKETS,
    }
    market = Market.from_frames(**{name: frame(columns) for name, columns in plain.items()})
    assert files.market_files(market) == files.market_files(Market.from_frames(**plain))
    for name, table in solve(market).by_code.tables().items():
        assert list(frame(table).columns) == list(table), name


def test_eng11_a_result_by_codes():
    outcome = solve(files.parse_market(as_bytes(GOOD)))
    assert isinstance(outcome, Outcome)
    result = outcome.by_code
    assert result.placement("C1") == Placement("P1", 1, "estate")
    assert result.cutoff("P1", "estate") == Cutoff("P1", "estate", 1, 1, "all", None, None, None)
    assert result.reasons("C1")[1] == WishReason(2, "P2", None, "placed_higher", 0, 4, None, None)
    for unknown in (lambda: result.placement("C9"), lambda: result.cutoff("P9"), lambda: result.reasons("C9")):
        with pytest.raises(KeyError):
            unknown()
    with pytest.raises(MarketFault, match="C9 is not a child"):
        explain(outcome, "C9")


@pytest.mark.parametrize("number", range(20))
def test_eng11_tables_hold_what_the_result_files_hold(number):
    outcome = solve(with_codes(tiny_market(number, children=8, current=number % 2 == 0)))
    written = files.result_files(outcome)
    for name, table in outcome.by_code.tables().items():
        expected = columns_of(written[f"{name}.csv"])
        assert list(table) == list(expected)
        rows = sorted(zip(*[["" if v is None else str(int(v) if v is True or v is False else v) for v in column]
                            for column in table.values()], strict=True))  # fmt: skip
        assert rows == sorted(zip(*expected.values(), strict=True))


def test_eng11_verify_and_explain_take_an_outcome_or_a_bundle(tmp_path):
    market = with_codes(tiny_market(41, children=8))
    outcome = solve(market)
    assert verify(market, outcome) == []
    assert any(
        line.startswith("one_placement") for line in verify(market, solve(with_codes(tiny_market(40, children=8))))
    )
    (tmp_path / "bundle.zip").write_bytes(packed(market, drawn=False))
    assert verify(tmp_path / "bundle.zip") == []
    for child in market.codes.children:
        if outcome.by_code.reasons(child):
            assert explain(tmp_path / "bundle.zip", child) == explain(outcome, child)
    with pytest.raises(TypeError, match="needs the outcome"):
        verify(market)
