"""Reading and writing files: round trips, one line for each fault, bytes that do not depend on the order of rows."""

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from allocation import files, lottery
from allocation.faults import MarketFault
from allocation.files import archive, csv_rows
from allocation.files import text_columns as text
from allocation.market import Codes
from allocation.solve import solve
from tests.engine.small_markets import tiny_market

GOOD = {
    "market.json": '{"format": "market/1", "season": "2026", "round": "main", "seed": null, "pair_rule": "overhang"}',
    "programmes.csv": """programme,kindergarten,level,nature,area,places,sibling_tier
P1,K1,lower,public,510104,2,0
P2,K2,lower,inclusive,GXQ,1,
P3,K1,middle,public,510104,3,
""",
    "pools.csv": """programme,pool,precedence,places,groups,unclaimed
P1,estate,1,1,E7;E8,locked
P1,general,2,,,open
""",
    "children.csv": """child,family,unit,groups,elder,current
C1,F1,,E7,C4,
C2,F2,U1,,,
C3,F2,U1,,,
C4,F1,,,,P3
""",
    "wishes.csv": """child,rank,programme,tier
C1,1,P1,1
C1,2,P2,0
C2,1,P2,0
C3,1,P2,3
C4,1,P3,0
""",
    "tickets.csv": "child,ticket\nC1,4\nC2,3\nC3,2\nC4,1\n",
}


def as_bytes(texts):
    return {
        name: text if isinstance(text, bytes) else text.encode() for name, text in texts.items() if text is not None
    }


def named(market):
    """The market with codes of ASCII and Chinese letters."""
    return replace(
        market,
        codes=Codes(
            children=[f"{'儿' if c % 3 else 'c'}{c}" for c in range(market.children)],
            programmes=[f"p{p}" for p in range(market.programmes)],
            families=[f"f{f}" for f in range(market.children)],
            groups=["社区-1", "x", "y"],
            units=[f"u{u}" for u in range(market.children)],
        ),
    )


def test_a_market_is_read_as_written():
    market = files.parse_market(as_bytes(GOOD))
    assert market.offsets.tolist() == [0, 2, 3, 4, 5]
    assert market.programme.tolist() == [0, 1, 1, 1, 2]
    assert market.tier.tolist() == [1, 0, 0, 3, 0]
    assert market.ticket.tolist() == [4, 3, 2, 1]
    assert market.unit.tolist() == [-1, 0, 0, -1]
    assert market.elder.tolist() == [3, -1, -1, -1]
    assert market.current.tolist() == [-1, -1, -1, 2]
    assert market.sibling_tier.tolist() == [0, -1, -1]
    assert market.pools.places.tolist() == [1, 1, 1, 3]
    assert market.pools.locked.tolist() == [True, False, False, False]
    assert [market.codes.areas[a].as_py() for a in market.area] == ["510104", "GXQ", "510104"]
    written = files.market_files(market)
    assert {name: data.decode() for name, data in written.items() if name != "market.json"} == {
        name: text for name, text in GOOD.items() if name != "market.json"
    }
    assert json.loads(written["market.json"]) == json.loads(GOOD["market.json"])


@pytest.mark.parametrize("number", range(12))
def test_every_market_goes_through_files_unchanged(number):
    market = named(tiny_market(number, children=8, siblings=number % 2 == 1, current=number % 3 == 0))
    written = files.market_files(market)
    read = files.parse_market(written)
    assert files.market_files(read) == written
    assert files.result_files(solve(read)) == files.result_files(solve(market))


@pytest.mark.parametrize("number", range(6))
def test_shuffled_rows_give_the_same_bytes(number):
    market = named(tiny_market(number + 20, children=9, siblings=True))
    written = files.market_files(market)
    dice = np.random.default_rng(number)
    shuffled = dict(written)
    for name, data in written.items():
        if name.endswith(".csv"):
            head, *rows = data.decode().splitlines()
            shuffled[name] = ("\n".join([head, *dice.permutation(rows)]) + "\n").encode()
    read = files.parse_market(shuffled)
    assert files.result_files(solve(read)) == files.result_files(solve(market))
    assert files.market_files(read) == written


def test_tickets_win_over_the_seed_and_the_seed_draws_them():
    seed = "5e" * 32
    head = json.dumps({**json.loads(GOOD["market.json"]), "seed": seed})
    drawn = files.parse_market(as_bytes({**GOOD, "market.json": head, "tickets.csv": None}))
    expected = lottery.draw(bytes.fromhex(seed), ["F1", "F2", "F2", "F1"], ["C1", "C2", "C3", "C4"])
    assert drawn.ticket.tolist() == expected.tolist()
    assert "tickets.csv" not in files.market_files(drawn)
    assert files.parse_market(as_bytes({**GOOD, "market.json": head})).ticket.tolist() == [4, 3, 2, 1]
    undrawn = files.parse_market(as_bytes({**GOOD, "tickets.csv": None}))
    assert undrawn.ticket is None
    with pytest.raises(MarketFault, match="have not been drawn"):
        solve(undrawn)


def test_a_folder_and_a_zip_hold_the_same_market(tmp_path):
    folder, packed, bundle = tmp_path / "market", tmp_path / "market.zip", tmp_path / "bundle.zip"
    folder.mkdir()
    for name, data in as_bytes(GOOD).items():
        (folder / name).write_bytes(data)
    for path, prefix in ((packed, ""), (bundle, "market/")):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in as_bytes(GOOD).items():
                archive.writestr(prefix + name, data)
    one = files.market_files(files.read_market(folder))
    assert files.market_files(files.read_market(packed)) == one == files.market_files(files.read_market(bundle))
    (tmp_path / "text").write_text("hello")
    with pytest.raises(MarketFault, match="neither a folder nor a zip"):
        files.read_market(tmp_path / "text")


WRONG = [
    ("wishes.csv", "C1,2,P2,0", "C1,2,P9,0", "wishes.csv, row 3, column programme: no such programme"),
    ("wishes.csv", "C1,2,P2,0", "C9,2,P2,0", "wishes.csv, row 3, column child: no such child"),
    ("wishes.csv", "C1,2,P2,0", "C1,0,P2,0", "wishes.csv, row 3, column rank: a rank is 1 to 2147483647"),
    ("wishes.csv", "C1,2,P2,0", "C1,2147483648,P2,0", "wishes.csv, row 3, column rank: a rank is 1 to 2147483647"),
    ("wishes.csv", "C1,2,P2,0", "C1,1,P2,0", "wishes.csv, row 3, column rank: the child has this rank twice"),
    ("wishes.csv", "C1,2,P2,0", "C1,2,P1,0", "wishes.csv, row 3, column programme: the same programme twice"),
    ("wishes.csv", "C1,2,P2,0", "C1,2,P3,0", "wishes.csv, row 3, column programme: a programme of another class level"),
    ("wishes.csv", "C1,2,P2,0", "C1,2,P2,16", "wishes.csv, row 3, column tier: 16 is not between 0 and 15"),
    ("wishes.csv", "C1,2,P2,0", "C1,2,P2,x", "wishes.csv, row 3, column tier: not a whole number"),
    ("wishes.csv", "C1,2,P2,0", "C1,2,P2,", "wishes.csv, row 3, column tier: not a whole number"),
    ("wishes.csv", "C1,2,P2,0", "C1,2,P2", "wishes.csv, row 3: 3 fields where 4 are needed"),
    ("wishes.csv", "C1,2,P2,0", "C1,-2,P2,0", "wishes.csv, row 3, column rank: not a whole number"),
    ("wishes.csv", "C3,1,P2,3", "C3,1,P1,3", "children.csv, row 4, column unit: bound children with different wishes"),
    ("wishes.csv", "rank,", "", "wishes.csv, row 1, column rank: the column is missing"),
    ("wishes.csv", "rank,", "rank,rank,", "wishes.csv, row 1, column rank: the column stands twice"),
    ("wishes.csv", "tier\n", "tier,note\n", "wishes.csv, row 1, column note: an unknown column"),
    ("wishes.csv", "\n", "\r\n", "wishes.csv: line ends must be LF"),
    ("children.csv", "C1,F1", "C2,F1", "children.csv, row 3, column child: the code stands twice"),
    ("children.csv", "C1,F1", "C1 ,F1", "children.csv, row 2, column child: missing, or not a code"),
    ("children.csv", "C1,F1", 'C1,"F1"', "children.csv, row 2, column family: missing, or not a code"),
    ("children.csv", "C3,F2,U1", "C3,F2, U1", "children.csv, row 4, column unit: not a code"),
    ("children.csv", "C3,F2", "C3,F3", "children.csv, row 4, column unit: bound children of different families"),
    ("children.csv", ",E7,C4", ",E7,C8", "children.csv, row 2, column elder: no such child"),
    ("children.csv", ",E7,C4", ",E7,C2", "children.csv, row 2, column elder: the elder is not in an older class level"),
    ("children.csv", ",E7,C4", ",E7,C1", "children.csv, row 2, column elder: the elder is not in an older class level"),
    ("children.csv", ",E7,C4", ",E7;,C4", "children.csv, row 2, column groups: a group that is not a code"),
    ("children.csv", ",,P3", ",,P8", "children.csv, row 5, column current: no such programme"),
    ("children.csv", ",,P3", ",,P1", "children.csv, row 5, column current: the guaranteed place is not among"),
    (
        "children.csv",
        "C3,F2,U1,,,",
        "C3,F2,U1,,,P2",
        "children.csv, row 4, column current: bound children with different",
    ),
    ("programmes.csv", "K2,lower", "K2,low", "programmes.csv, row 3, column level: not one of nursery, lower"),
    ("programmes.csv", "inclusive", "other", "programmes.csv, row 3, column nature: not one of public"),
    ("programmes.csv", "GXQ,1", "GXQ,x", "programmes.csv, row 3, column places: not a whole number"),
    ("programmes.csv", "GXQ,1", "GXQ,1000001", "programmes.csv, row 3, column places: more than a million places"),
    ("programmes.csv", "4,2,0", "4,2,16", "programmes.csv, row 2, column sibling_tier: a tier is 0 to 15"),
    ("pools.csv", "1,1,E7", "1,3,E7", "pools.csv, row 3, column places: the pools hold 3 places, the programme has 2"),
    ("pools.csv", "general,2,", "general,2,0", "pools.csv, row 3, column places: the pools hold 1 places"),
    ("pools.csv", "general,2,", "general,2,-1", "pools.csv, row 3, column places: not a whole number"),
    ("pools.csv", "general,2,", "general,1,", "pools.csv, row 3, column precedence: precedence 1 stands twice"),
    ("pools.csv", "P1,general", "P1,estate", "pools.csv, row 3, column pool: pool estate stands twice"),
    ("pools.csv", "P1,general", "P1,other", "pools.csv, row 3, column places: only the general pool may leave"),
    ("pools.csv", ",,,open", ",,E1,open", "pools.csv, row 3, column groups: the general pool is open to everybody"),
    ("pools.csv", "locked", "shut", "pools.csv, row 2, column unclaimed: not one of open, locked"),
    ("pools.csv", "P1,estate", "P7,estate", "pools.csv, row 2, column programme: no such programme"),
    ("tickets.csv", "C2,3", "C2,4", "tickets.csv, row 3, column ticket: the ticket stands twice"),
    ("tickets.csv", "C2,3\n", "", "children.csv, row 3, column child: the child has no ticket"),
    ("tickets.csv", "C2,3", "C2,4294967296", "tickets.csv, row 3, column ticket: a ticket is below"),
    ("tickets.csv", "C2,3", "C7,3", "tickets.csv, row 3, column child: no such child"),
    ("tickets.csv", "C2,3", "C1,3", "tickets.csv, row 3, column child: the code stands twice"),
    ("market.json", "market/1", "market/9", "market.json, column format: market/9 is neither market/1 nor market/2"),
    ("market.json", "overhang", "strict", "market.json, column pair_rule: strict is neither overhang nor close"),
    ("market.json", "null", '"12"', "market.json, column seed: a seed is 64 hex digits"),
    ("market.json", '"2026"', "2026", "market.json, column season: not a text"),
    ("market.json", '"season"', '"year"', "market.json, column year: an unknown key"),
    ("market.json", "}", "", "market.json: not JSON"),
]


@pytest.mark.parametrize("name,old,new,expected", WRONG)
def test_each_fault_is_named_with_file_row_and_column(name, old, new, expected):
    assert old in GOOD[name]
    count = -1 if old == "\n" else 1
    with pytest.raises(MarketFault) as caught:
        files.parse_market(as_bytes({**GOOD, name: GOOD[name].replace(old, new, count)}))
    assert any(str(line).startswith(expected) for line in caught.value.faults), str(caught.value)


def test_all_faults_are_listed_at_once():
    bad = (
        GOOD["children.csv"]
        .encode()
        .replace(b"C2,F2", b"C2,\xff,F2")
        .replace(b"C4,F1", b"C4,\xe5\xae")
        .replace(b"C3,", b"")
    )
    with pytest.raises(MarketFault) as caught:
        files.parse_market(as_bytes({**GOOD, "children.csv": bad}))
    assert list(map(str, caught.value.faults)) == [
        "children.csv, row 3: 7 fields where 6 are needed", "children.csv, row 3: not UTF-8",
        "children.csv, row 4: 5 fields where 6 are needed", "children.csv, row 5: not UTF-8",
    ]  # fmt: skip
    broken = {**GOOD, "wishes.csv": GOOD["wishes.csv"].replace("C1,1,P1", "C1,1,P7").replace("C3,1,P2", "C8,1,P2")}
    with pytest.raises(MarketFault) as caught:
        files.parse_market(as_bytes(broken))
    assert [fault.row for fault in caught.value.faults] == [2, 5]


def test_missing_files_and_other_things_than_markets():
    for change, expected in [
        ({"wishes.csv": None}, "wishes.csv: the file is missing"),
        ({"market.json": "[]"}, "market.json: not a JSON object"),
        ({"market.json": None}, "market.json: the file is missing"),
        ({"children.csv": GOOD["children.csv"].encode().replace(b"F2", b"\xff2")}, "children.csv, row 3: not UTF-8"),
        ({"children.csv": ""}, "children.csv, row 1, column child: the column is missing"),
    ]:
        with pytest.raises(MarketFault) as caught:
            files.parse_market(as_bytes({**GOOD, **change}))
        assert expected in map(str, caught.value.faults)


def test_a_market_without_children_or_programmes():
    empty = {name: text.splitlines()[0] + "\n" for name, text in GOOD.items() if name.endswith(".csv")}
    market = files.parse_market(as_bytes({"market.json": GOOD["market.json"], **empty}))
    results = files.result_files(solve(market))
    assert all(data.count(b"\n") == 1 for data in results.values())


def test_a_file_too_large_to_be_a_market_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_FILE", 10)
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as packed:
        packed.writestr("wishes.csv", "x" * 11)
    with pytest.raises(MarketFault, match="would unpack to 11 bytes"):
        files.read_market(tmp_path / "m.zip")


def test_a_row_too_long_for_the_reader_is_a_fault_of_the_file():
    long = GOOD["children.csv"] + "C5,F5,,E7;" + "E" * (40 << 20) + ",,\n"
    with pytest.raises(MarketFault, match=r"children\.csv: "):
        files.parse_market(as_bytes({**GOOD, "children.csv": long}))


@pytest.mark.parametrize(
    "cell", ["-1", "+1", "01", "00", "-0", " 1", "1 ", "0x1", "1.0", "1e3", "12345678901", "９", ""]
)
def test_a_number_is_written_in_one_way_only(cell):
    for others in (["7", "10"], ["x", "9999999999"]):
        found, bad = text.numbers(text.to_column([*others, cell, "0"]))
        assert bad.tolist() == [others[0] == "x", False, True, False]
        assert found[[1, 3]].tolist() == [int(others[1]), 0]
    found, bad = text.numbers(text.to_column(["3", cell]), empty=-1)
    assert (bad.tolist(), found.tolist()) == ([False, cell != ""], [3, -1 if cell == "" else 0])


def test_a_column_is_looked_at_cell_by_cell_only_where_something_is_wrong():
    good = ["a", "é" * 100, "家-1_.", "a" * 100, "a b", "a;b"]
    assert not text.not_codes(text.to_column(good)).any() and not text.not_codes(text.to_column([])).any()
    bad = ["", " a", "a ", "a\tb", "a\x7f", "a\x1f", 'a"', "a" * 101, "é" * 101]
    assert text.not_codes(text.to_column(good + bad)).tolist() == [False] * len(good) + [True] * len(bad)
    for one in bad:
        assert text.not_codes(text.to_column([*good, one])).tolist() == [False] * len(good) + [True]
    assert text.duplicates(text.to_column(["b", "a", "b", "c", "a"])).tolist() == [False, False, True, False, True]
    assert not text.duplicates(text.to_column(["b", "a"])).any()


def test_rows_are_written_in_blocks_of_any_size(monkeypatch):
    words = csv_rows.encode_texts(["甲", "", "ab"])
    columns = [
        csv_rows.Column(np.array([0, 1, -1, 2, 0])),
        csv_rows.Column(np.array([2, 0, 1, -1, 2]), words),
        csv_rows.Column(np.array([-1, 9, 10, 12345678901, 999]), None),
    ]
    expected = "n,w,m\n0,ab,\n1,甲,9\n,,10\n2,,12345678901\n0,ab,999\n".encode()
    for rows in (1, 2, 100):
        monkeypatch.setattr(csv_rows, "ROWS_AT_ONCE", rows)
        assert csv_rows.csv_bytes(["n", "w", "m"], columns) == expected


# ENG12: reading costs little where files stand in the order in which we write them, and means the same in any other


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_eng12_children_are_found_in_order_and_out_of_order(order):
    known = text.to_column(["a", "ab", "b"])
    values = text.to_column([["a", "ab", "b"][number] for number in order])
    assert text.lookup_in_order(values, known).tolist() == order


def test_eng12_a_child_that_is_not_known_is_found_nowhere():
    known = text.to_column(["a", "b"])
    assert text.lookup_in_order(text.to_column(["a", "a", "x"]), known).tolist() == [0, 0, -1]
    assert text.lookup_in_order(text.to_column(["b", "a"]), known).tolist() == [1, 0]


def test_eng12_rows_in_another_order_give_the_same_market():
    straight = files.parse_market(as_bytes(GOOD))
    written = files.market_files(straight)
    head, *rows = written["wishes.csv"].decode().splitlines()
    written["wishes.csv"] = ("\n".join([head, *reversed(rows)]) + "\n").encode()
    again = files.parse_market(written)
    assert again.programme.tolist() == straight.programme.tolist()
    assert again.offsets.tolist() == straight.offsets.tolist()


def test_eng12_the_command_imports_none_of_its_libraries_before_it_needs_them():
    asked = (
        "import sys, allocation.__main__; print(*{'numba', 'numpy', 'pyarrow', 'highspy', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_eng12_a_result_in_blocks_is_the_result_in_files(monkeypatch):
    outcome = solve(files.parse_market(as_bytes(GOOD)))
    whole = files.result_files(outcome)
    monkeypatch.setattr("allocation.files.writer.CHILDREN_AT_ONCE", 1)
    monkeypatch.setattr("allocation.files.csv_rows.ROWS_AT_ONCE", 1)
    assert {name: b"".join(blocks) for name, blocks in files.result_blocks(outcome)} == whole


@pytest.mark.parametrize(
    "cells", [["0", "7", "10", "9999999999"], [""], ["01"], ["+1"], ["-1"], ["10000000000"], ["1 "], ["１"]]
)
def test_eng12_numbers_are_read_in_one_pass_only_where_each_is_in_its_one_form(cells):
    found, bad = text.numbers(text.to_column(cells))
    expected = [re.fullmatch("0|[1-9][0-9]{0,9}", cell) is None for cell in cells]
    assert bad.tolist() == expected
    assert [n for n, wrong in zip(found.tolist(), expected, strict=True) if not wrong] == [
        int(cell) for cell, wrong in zip(cells, expected, strict=True) if not wrong
    ]


@pytest.mark.parametrize(
    ("owner", "rank", "in_order"),
    [([0, 0, 2], [1, 2, 1], True), ([0, 0], [1, 3], False), ([1, 0], [1, 1], False), ([-1], [1], False), ([0, 0], [2, 1], False)],
)  # fmt: skip
def test_eng12_lists_are_counted_only_where_they_stand_in_order(owner, rank, in_order):
    offsets = np.zeros(4, dtype=np.int64)
    assert csv_rows.count_lists(np.array(owner, dtype=np.int32), np.array(rank), offsets) == in_order
    assert not in_order or offsets.tolist() == [0, 2, 2, 3]
