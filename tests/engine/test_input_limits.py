"""Inputs that once crashed the engine, were cut down in silence or were read in two ways; each test bears its finding."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from allocation import __main__ as command
from allocation import files
from allocation.faults import MOST_LISTED, MarketFault
from allocation.files.json_objects import parse_object
from allocation.market import Codes, Market, Pool
from allocation.simulation import simulate
from allocation.solve import solve
from tests.engine.bundles import packed
from tests.engine.small_markets import tiny_market
from tests.engine.tampering import edit, entries_of, with_entry, zipped
from tests.engine.test_files import GOOD, as_bytes

PLAIN = {"offsets": [0, 1, 3], "programme": [0, 0, 1], "tier": [0, 0, 0], "ticket": [1, 2], "places": [1, 1]}
TYPES = {"offsets": np.int64, "programme": np.int32, "tier": np.uint8, "ticket": np.uint32, "places": np.int32}


def faults_of(change):
    with pytest.raises(MarketFault) as caught:
        Market.from_arrays(**{**PLAIN, **change})
    return caught.value.lines()


def file_faults(**change):
    with pytest.raises(MarketFault) as caught:
        files.parse_market(as_bytes({**GOOD, **change}))
    return caught.value.lines()


def run(*arguments):
    return command.main([str(one) for one in arguments])


# ENG01: the arrays of a market belong to the market


def test_eng01_the_callers_arrays_are_copied():
    given = {name: np.array(values, dtype=TYPES[name]) for name, values in PLAIN.items()}
    groups = np.array([0, 1, 1]), np.array([0], dtype=np.int32)
    current, unit = np.array([0, 1], dtype=np.int32), np.array([-1, -1], dtype=np.int32)
    market = Market.from_arrays(**given, groups=groups, current=current, unit=unit, pools=[Pool(0, "r", 1, 1, (0,))])
    before = solve(market).programme.tolist()
    for array in (*given.values(), *groups, current, unit):
        array[:] = np.iinfo(array.dtype).max
    assert solve(market).programme.tolist() == before


def test_eng01_no_array_of_a_market_can_be_written_or_unlocked():
    market = Market.from_arrays(**{name: np.array(values, dtype=TYPES[name]) for name, values in PLAIN.items()})
    drawn = market.with_tickets(np.array([2, 1], dtype=np.uint32))
    for array in (market.offsets, market.programme, market.tier, market.ticket, market.places, drawn.ticket):
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


# ENG02: a number that does not fit is refused, never cut


@pytest.mark.parametrize("change,expected", [
    ({"unit": [2**32 + 7, 7]}, "children, row 0, column unit: 4294967303 is not between"),
    ({"unit": [7, 2**31 - 1]}, "children, row 1, column unit: 2147483647 is not between"),
    ({"places": [2**32 + 1, 1]}, "programmes, row 0, column places: 4294967297 is not between"),
    ({"places": [1, 2**70]}, f"programmes, row 1, column places: {2**70} is not between"),
    ({"places": [1.9, 1]}, "programmes, row 0, column places: 1.9 is not a whole number"),
    ({"places": [1, float("nan")]}, "programmes, row 1, column places: nan is not a whole number"),
    ({"places": ["1", "2"]}, "programmes, row 0, column places: 1 is not a whole number"),
    ({"places": [[1, 1]]}, "programmes, column places: an array of 2 dimensions where one is needed"),
    ({"programme": [0, 0, 2**32 + 1]}, "wishes, row 2, column programme: 4294967297 is not between"),
    ({"offsets": [0, 1.5, 3]}, "children, row 1, column offsets: 1.5 is not a whole number"),
    ({"tier": [0, 256, 0]}, "wishes, row 1, column tier: 256 is not between 0 and 15"),
    ({"ticket": [1, 2**32 + 1]}, "children, row 1, column ticket: 4294967297 is not between"),
    ({"family": [0, -(2**40)]}, "children, row 1, column family: -1099511627776 is not between"),
    ({"elder": [2**32, -1]}, "children, row 0, column elder: 4294967296 is not between"),
    ({"current": [2**32, -1]}, "children, row 0, column current: 4294967296 is not between"),
    ({"level": [257, 1]}, "programmes, row 0, column level: 257 is not between"),
    ({"nature": [0, 256]}, "programmes, row 1, column nature: 256 is not between"),
    ({"area": [0, 2**32]}, "programmes, row 1, column area: 4294967296 is not between"),
    ({"kindergarten": [0, 2**32]}, "programmes, row 1, column kindergarten: 4294967296 is not between"),
    ({"sibling_tier": [0, 2**16]}, "programmes, row 1, column sibling_tier: 65536 is not between"),
    ({"groups": [(0,), (2**32,)]}, "children, row 1, column group: 4294967296 is not between"),
    ({"groups": (np.array([0, 0, 1]), np.array([2**31]))}, "children, row 0, column group: 2147483648 is not between"),
    ({"rank": [1, 2, 2**31]}, "wishes, row 2, column rank: 2147483648 is not between 1 and"),
    ({"rank": [1, 2, 2]}, "wishes, row 2, column rank: the ranks of a child must rise"),
    ({"pools": [Pool(0, "r", 1, 0.5)]}, "pools, row 0, column places: 0.5 is not a whole number"),
    ({"pools": [Pool(0, "r", 1, 0, (2**32,))]}, "pools, row 0, column groups: a group number is below"),
    ({"pools": [Pool(0, "r", 2**31, 0)]}, "pools, row 0, column precedence: 2147483648 is more than"),
])  # fmt: skip
def test_eng02_numbers_that_do_not_fit_are_refused_with_their_row(change, expected):
    lines = faults_of(change)
    assert any(line.startswith(expected) for line in lines), lines


def test_eng02_late_tickets_and_whole_floats():
    market = Market.from_arrays(**{**PLAIN, "ticket": None, "places": np.array([1.0, 1.0]), "unit": [True, 2]})
    assert market.places.dtype == np.int32
    with pytest.raises(MarketFault, match="row 1, column ticket: 4294967297 is not between"):
        market.with_tickets([1, 2**32 + 1])


# ENG04: a rank is an order; a code is any printable text


def test_eng04_ranks_with_gaps_are_an_order_and_are_repeated_as_given():
    wishes = "child,rank,programme,tier\nC1,7,P2,0\nC1,3,P1,1\nC2,2,P2,0\nC3,2,P2,3\nC4,1,P3,0\n"
    market = files.parse_market(as_bytes({**GOOD, "wishes.csv": wishes}))
    assert market.rank.tolist() == [3, 7, 2, 2, 1]
    result = {name: data.decode() for name, data in files.result_files(solve(market)).items()}
    assert result["placements.csv"].splitlines()[1:] == [
        "C1,P1,3,estate", "C2,P2,2,general", "C3,P2,2,general", "C4,P3,1,general",
    ]  # fmt: skip
    assert [line.split(",")[1] for line in result["reasons.csv"].splitlines()[1:]] == ["3", "7", "2", "2", "1"]
    assert files.market_files(market)["wishes.csv"].decode().splitlines()[1:3] == ["C1,3,P1,1", "C1,7,P2,0"]
    plain = files.parse_market(as_bytes(GOOD))
    assert plain.rank is None and solve(plain).rank.tolist() == solve(market).rank.tolist()


def test_eng04_a_bundle_with_gaps_and_codes_with_blanks_is_verified(tmp_path):
    (tmp_path / "gaps.zip").write_bytes(packed(gaps_and_blanks(), with_summary=True))
    assert run("verify", tmp_path / "gaps.zip") == 0


def gaps_and_blanks() -> Market:
    """A market with ranks 2, 5, 8 … and codes with blanks and semicolons."""
    market = tiny_market(41, children=8)
    place = np.arange(len(market.programme)) - np.repeat(market.offsets[:-1], np.diff(market.offsets))
    return replace(
        market.with_columns(rank=2 + 3 * place),
        codes=Codes(
            children=[f"no {c}; 号 {c}" for c in range(8)],
            programmes=[f"Rose & Lily ({p})" for p in range(market.programmes)],
            families=[f"family {f}" for f in range(8)],
            kindergartens=["K 1", "K 2"],
            areas=["510104"],
            groups=["estate 1", "estate 2", "estate 3"],
            units=[f"twins {u}" for u in range(8)],
        ),
    )


# ENG05: bad input is one line and status 2, never a traceback


def with_market_json(data: bytes):
    return with_entry("market/market.json", lambda _: data)


def encrypted(bundle: bytes) -> bytes:
    """A bundle whose entries are marked as encrypted."""
    changed = bytearray(bundle)
    at = changed.find(b"PK\1\2")
    while at >= 0:
        changed[at + 8] |= 1
        at = changed.find(b"PK\1\2", at + 4)
    return bytes(changed)


def damaged(bundle: bytes) -> bytes:
    """A deflated bundle with a broken stream."""
    deflated = bytearray(zipped(entries_of(bundle), zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(io.BytesIO(bytes(deflated))) as archive:
        at = archive.getinfo("market/wishes.csv").header_offset + 30 + len("market/wishes.csv")
    deflated[at : at + 8] = b"\xff" * 8
    return bytes(deflated)


HEAD = '{"format":"market/1","season":"2026","round":"main","seed":null,"pair_rule":"overhang"}'
BAD_BUNDLES = {
    "nested JSON": with_market_json(b"[" * 100_000 + b"]" * 100_000),
    "half a character in the season": with_market_json(HEAD.replace("2026", "\\ud800").encode()),
    "a numeric seed": with_market_json(HEAD.replace("null", "1" * 64).encode()),
    "a list as the pair rule": with_market_json(HEAD.replace('"overhang"', "[1]").encode()),
    "a number that is no JSON": with_market_json(HEAD.replace("null", "NaN").encode()),
    "a very long number": with_market_json(HEAD.replace("null", "1" * 5_000).encode()),
    "UTF-16": with_market_json(HEAD.encode("utf-16")),
    "a record of nested JSON": with_entry("draw.json", lambda _: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a null beacon": with_entry("draw.json", edit(beacon=None)),
    "a number as the ceremony": with_entry("draw.json", edit(ceremony=3)),
    "half a character in the beacon": with_entry("draw.json", edit(beacon="\ud800")),
    "no commitment": with_entry("draw.json", lambda _: b"{}"),
    "a null commitment": with_entry("draw.json", edit(commitment=None)),
    "a numeric seed in the record": with_entry("draw.json", edit(seed=int("1" * 64))),
    "encrypted": encrypted,
    "damaged": damaged,
    "another compression": lambda bundle: zipped(entries_of(bundle), zipfile.ZIP_BZIP2),
}


@pytest.mark.parametrize("name", BAD_BUNDLES)
def test_eng05_a_bad_bundle_is_one_line_and_status_2(name, tmp_path, capsys):
    path = tmp_path / "bundle.zip"
    path.write_bytes(BAD_BUNDLES[name](packed(tiny_market(7, children=8))))
    assert run("verify", path) == 2
    said = capsys.readouterr()
    assert said.out == "" and 1 <= len(said.err.splitlines()) <= 20, said.err
    if "bundle.zip" not in said.err and "draw.json" not in said.err:
        assert run("solve", path, "--out", tmp_path / "result") == 2


def test_eng05_reasons_that_cannot_be_read_are_one_line(tmp_path, capsys):
    for data, expected in (
        (b"\xff\xfe", "reasons.csv: not UTF-8"),
        (b"child,rank\nC1,1\n", "reasons.csv, row 1: the columns are not child,rank"),
        (
            b"child,rank,programme,pool,reason,tier,ticket,cutoff_tier,cutoff_ticket\nC1,1\n",
            "reasons.csv, row 2: 2 fields",
        ),
        (
            b"child,rank,programme,pool,reason,tier,ticket,cutoff_tier,cutoff_ticket\nC1,x,P,,placed,0,1,,\n",
            "reasons.csv, row 2: invalid",
        ),
        (
            b"child,rank,programme,pool,reason,tier,ticket,cutoff_tier,cutoff_ticket\nC1,1,P,,luck,0,1,,\n",
            "reasons.csv, row 2: luck is not",
        ),
    ):
        (tmp_path / "reasons.csv").write_bytes(data)
        assert run("explain", tmp_path, "--child", "C1") == 2
        said = capsys.readouterr().err
        assert said.startswith(expected) and said.count("\n") == 1


@pytest.mark.parametrize("children", [0, -3])
def test_eng05_a_benchmark_of_nobody_is_refused(children, capsys):
    assert run("bench", "--children", children) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_eng05_json_is_read_as_in_the_browser():
    assert parse_object(b'\xef\xbb\xbf{"a": 1}', "a.json") == {"a": 1}
    for data in (b"\xff{}", b"{}{}", b"", b'{"a": Infinity}'):
        with pytest.raises(MarketFault, match=r"a\.json: not JSON"):
            parse_object(data, "a.json")


# ENG06: a small zip file cannot fill the memory


def test_eng06_a_zip_that_unpacks_to_far_more_is_refused_by_every_command(tmp_path, capsys):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("wishes.csv", "w") as entry:
        for _ in range(64):
            entry.write(bytes(1 << 20))
    assert bomb.stat().st_size < 70_000
    for arguments in (
        ["solve", bomb, "--out", tmp_path / "result"],
        ["verify", bomb],
        ["explain", bomb, "--child", "c"],
    ):
        assert run(*arguments) == 2
        assert "wishes.csv would unpack to 67108864 bytes" in capsys.readouterr().err


# ENG07: fault lists have a bound and say how many more there are


def test_eng07_a_file_that_is_wrong_throughout_is_not_listed_throughout(tmp_path, capsys):
    folder = tmp_path / "market"
    folder.mkdir()
    rows = "".join(f"C1,{rank},P9,x\n" for rank in range(1, 5_001))
    for name, data in as_bytes({**GOOD, "wishes.csv": "child,rank,programme,tier\n" + rows}).items():
        (folder / name).write_bytes(data)
    assert run("solve", folder, "--out", tmp_path / "result") == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_LISTED + 1
    assert lines[-1] == "and 9,900 more"  # 5,000 programmes and 5,000 tiers
    broken = "child,rank,programme,tier\n" + "C1,1,P1\n" * 3_000
    assert file_faults(**{"wishes.csv": broken})[-1] == "and 2,900 more"
    undecodable = b"child,rank,programme,tier\n" + b"C1,1,P1,\xff\n" * 3_000
    assert file_faults(**{"wishes.csv": undecodable})[-1] == "and 2,900 more"


def test_eng07_arrays_count_the_faults_that_they_do_not_list():
    n = 1_000
    columns = {"offsets": range(n + 1), "programme": [0] * n, "tier": [0] * n, "ticket": range(n), "places": [1]}
    for change, more in (
        ({"tier": [99] * n}, 900), ({"programme": [4] * n}, 900), ({"ticket": [1] * n}, 899), ({"unit": [5] * n}, 897),
        ({"places": [0.5] * n}, 900), ({"tier": [99] * n, "ticket": [-1] * n}, 1_900),
    ):  # fmt: skip
        with pytest.raises(MarketFault) as caught:
            Market.from_arrays(**{**columns, **change})
        assert caught.value.lines()[-1] == f"and {more:,} more", change
        assert len(caught.value.lines()) == MOST_LISTED + 1


# ENG09: characters that nobody sees, or that change the direction of writing, are in no code


INVISIBLE = {
    "line separator": "\u2028", "paragraph separator": "\u2029", "zero width space": "\u200b", "zero width joiner": "\u200d",
    "right-to-left mark": "\u200f", "right-to-left override": "\u202e", "isolate": "\u2067", "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad", "no-break space": "\u00a0", "ideographic space": "\u3000", "next line": "\u0085",
    "word joiner": "\u2060", "variation selector": "\ufe0f", "tag": "\U000e0041", "private use": "\ue000",
    "Hangul filler": "\u3164", "Arabic letter mark": "\u061c", "not in form C": "e\u0301", "noncharacter": "\uffff",
}  # fmt: skip


@pytest.mark.parametrize("name", INVISIBLE)
def test_eng09_invisible_characters_are_refused_in_every_code(name):
    bad = f"X{INVISIBLE[name]}1"
    for file, old, column in (
        ("programmes.csv", "P2,K2", "programme"), ("programmes.csv", "K2", "kindergarten"), ("programmes.csv", "GXQ", "area"),
        ("children.csv", "C2", "child"), ("children.csv", "F2", "family"), ("children.csv", "U1", "unit"),
        ("children.csv", "E7", "groups"), ("pools.csv", "estate", "pool"), ("pools.csv", "E8", "groups"),
    ):  # fmt: skip
        new = old.replace(old.split(",")[0], bad)
        lines = file_faults(**{file: GOOD[file].replace(old, new, 1)})
        assert any(line.startswith(f"{file}, row ") and f"column {column}: " in line for line in lines), (column, lines)
    head = json.dumps({**json.loads(GOOD["market.json"]), "season": bad})
    assert file_faults(**{"market.json": head}) == ["market.json, column season: neither empty nor a code"]


def test_eng09_a_child_with_a_blank_in_its_code_is_explained(tmp_path, capsys):
    (tmp_path / "bundle.zip").write_bytes(packed(gaps_and_blanks()))
    assert run("explain", tmp_path / "bundle.zip", "--child", "no 0; 号 0") == 0
    assert capsys.readouterr().out.startswith("wish 2, Rose & Lily")


# ENG10: a rank or a child beyond the list is an IndexError


def test_eng10_a_chance_beyond_the_list_is_refused():
    drawn = simulate(tiny_market(3, children=4), 5)
    length = int(drawn.market.offsets[1])
    assert drawn.chance(0, length).draws == 5
    for child, rank in ((0, length + 1), (0, 0), (0, -1), (4, 1), (-1, 1)):
        with pytest.raises(IndexError):
            drawn.chance(child, rank)
    for child in (4, -1):
        with pytest.raises(IndexError):
            drawn.unplaced(child)
