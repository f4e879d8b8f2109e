"""The four commands on files: what they write, what they say, and with which exit status."""

import json
import runpy
import shutil
import sys
import zipfile

import pytest

from allocation import __main__ as command
from allocation import by_code, files
from allocation.benchmark import measurements as benchmark
from allocation.checks import Report
from allocation.files import bundle, reader, verification
from allocation.outcome import REASONS
from tests.engine.bundles import packed, with_codes
from tests.engine.small_markets import tiny_market
from tests.engine.test_files import GOOD, as_bytes


@pytest.fixture
def market_folder(tmp_path):
    folder = tmp_path / "market"
    folder.mkdir()
    for name, data in as_bytes(GOOD).items():
        (folder / name).write_bytes(data)
    return folder


def test_solve_writes_the_three_files_and_a_summary(market_folder, tmp_path, capsys):
    assert command.main(["solve", str(market_folder), "--out", str(tmp_path / "deep" / "result")]) == 0
    result = tmp_path / "deep" / "result"
    assert sorted(path.name for path in result.iterdir()) == sorted([*files.RESULT_FILES, "summary.json"])
    assert (
        result / "placements.csv"
    ).read_text() == "child,programme,rank,pool\nC1,P1,1,estate\nC2,P2,1,general\nC3,P2,1,general\nC4,P3,1,general\n"
    assert (result / "cutoffs.csv").read_text().splitlines()[1] == "P1,estate,1,1,all,,,"
    assert (result / "reasons.csv").read_text().splitlines()[1:3] == [
        "C1,1,P1,estate,placed,0,4,,",
        "C1,2,P2,,placed_higher,0,4,,",
    ]
    summary = json.loads((result / "summary.json").read_text())
    assert (summary["children"], summary["placed"], summary["overhang"]) == (4, 4, 1)
    assert summary["by_rank"] == {"1": 4}
    assert summary["by_nature"] == {"public": 2, "inclusive": 2, "private": 0}
    assert summary["multiples"] == {
        "bound": {"children": 2, "placed": 2, "first_wish": 2}, "single": {"children": 2, "placed": 2, "first_wish": 2},
    }  # fmt: skip
    assert set(summary["checks"].values()) == {"passed"}
    assert set(summary["outputs"]) == set(files.RESULT_FILES) and "wishes.csv" in summary["inputs"]
    said = capsys.readouterr()
    assert said.out == "" and "4 children placed" in said.err
    assert oct(result.stat().st_mode & 0o777) == oct(0o777 & ~command._umask())


def test_bad_input_gives_its_faults_status_2_and_no_folder(market_folder, tmp_path, capsys):
    (market_folder / "wishes.csv").write_text(GOOD["wishes.csv"].replace("C1,1,P1", "C1,1,P7"))
    assert command.main(["solve", str(market_folder), "--out", str(tmp_path / "result")]) == 2
    assert capsys.readouterr().err == "wishes.csv, row 2, column programme: no such programme\n"
    assert not (tmp_path / "result").exists()
    assert command.main(["solve", str(tmp_path / "nowhere"), "--out", str(tmp_path / "result")]) == 2
    assert command.main(["solve", str(market_folder), "--out", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_result_that_fails_its_check_is_not_written(market_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("allocation.checks.check", lambda *_: Report({"capacities": ("pool 0",)}))
    assert command.main(["solve", str(market_folder), "--out", str(tmp_path / "result")]) == 1
    assert "capacities: pool 0" in capsys.readouterr().err
    assert not (tmp_path / "result").exists()


def test_an_interrupted_write_leaves_nothing(tmp_path):
    with pytest.raises(TypeError), command._unfinished_folder(tmp_path / "result") as folder:
        command._write_results(folder, [("a.csv", [b"x"]), ("b.csv", [None])])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("drawn", [True, False])
def test_a_bundle_is_verified(number, drawn, tmp_path, capsys):
    market = tiny_market(number, children=8, siblings=number % 2 == 0, current=number % 3 == 0)
    (tmp_path / "bundle.zip").write_bytes(packed(market, drawn=drawn))
    assert command.main(["verify", str(tmp_path / "bundle.zip")]) == 0
    assert capsys.readouterr().out.startswith("verified")


def test_a_bundle_is_the_same_bytes_every_time_in_name_order():
    market = tiny_market(4, children=8)
    assert packed(market) == packed(market)
    assert packed(market) != packed(market, ceremony="3 5 5")


def repacked(source, target, name, change):
    """Copy a bundle with one entry changed (``None`` leaves it out)."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        assert name in old.namelist()
        assert old.namelist() == sorted(old.namelist())
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == name:
                data = change(data) if change else None
            if data is not None:
                new.writestr(entry.filename, data)


def edit(**values):
    return lambda data: json.dumps({**json.loads(data), **values}).encode()


@pytest.mark.parametrize("name,change,expected", [
    ("result/placements.csv", lambda data: data.replace(b",1,", b",2,", 1), "result/placements.csv differs"),
    ("result/cutoffs.csv", lambda data: data + b"\n", "result/cutoffs.csv differs"),
    ("market/wishes.csv", lambda data: data.rstrip()[:-1] + b"9\n", "the commitment is not that of this market"),
    ("draw.json", edit(beacon="道指 1"), "the seed does not come from commitment, beacon and ceremony"),
    ("draw.json", edit(seed="00" * 32), "the seed in market.json is not the one in draw.json"),
])  # fmt: skip
def test_every_change_to_a_bundle_is_found(name, change, expected, tmp_path, capsys):
    (tmp_path / "good.zip").write_bytes(packed(tiny_market(7, children=8)))
    repacked(tmp_path / "good.zip", tmp_path / "bad.zip", name, change)
    assert command.main(["verify", str(tmp_path / "bad.zip")]) == 1
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize("name,change,expected", [
    ("draw.json", None, "bad.zip: draw.json is missing"),
    ("result/reasons.csv", None, "bad.zip: result/reasons.csv is missing"),
    ("market/children.csv", None, "children.csv: the file is missing"),
    ("draw.json", lambda data: b"[]", "draw.json: not a JSON object"),
    ("draw.json", edit(commitment="xyz"), "draw.json, column commitment: not 64 hex digits"),
    ("draw.json", edit(more=1), "draw.json, column more: an unknown key"),
])  # fmt: skip
def test_what_is_no_bundle_is_refused(name, change, expected, tmp_path, capsys):
    (tmp_path / "good.zip").write_bytes(packed(tiny_market(7, children=8)))
    repacked(tmp_path / "good.zip", tmp_path / "bad.zip", name, change)
    assert command.main(["verify", str(tmp_path / "bad.zip")]) == 2
    assert expected in capsys.readouterr().err


def test_a_market_with_neither_seed_nor_tickets_can_not_be_verified(tmp_path):
    (tmp_path / "good.zip").write_bytes(packed(tiny_market(7, children=8), drawn=False))
    opened = bundle.unpack(tmp_path / "good.zip")
    opened.market.pop("tickets.csv")
    assert "there is neither a seed nor tickets" in list(
        verification._draw_differences(opened, reader.parse_files(opened.market))
    )


def test_a_broken_zip_is_bad_input(tmp_path, capsys):
    whole = packed(tiny_market(7, children=8))
    (tmp_path / "broken.zip").write_bytes(whole.replace(b"child,rank", b"child,rang", 1))
    assert command.main(["verify", str(tmp_path / "broken.zip")]) == 2
    assert "a broken zip file" in capsys.readouterr().err


def test_explain_says_each_wish_in_words(tmp_path, capsys):
    market = with_codes(tiny_market(41, children=8))
    (tmp_path / "bundle.zip").write_bytes(packed(market))
    rows = bundle.unpack(tmp_path / "bundle.zip").result["reasons.csv"].decode().splitlines()[1:]
    reasons = set()
    for row in rows:
        child, rank, programme, _, reason, *_ = row.split(",")
        assert command.main(["explain", str(tmp_path / "bundle.zip"), "--child", child]) == 0
        assert f"wish {rank}, {programme}: " in capsys.readouterr().out
        reasons.add(reason)
    assert len(reasons) >= 4
    assert command.main(["explain", str(tmp_path / "bundle.zip"), "--child", "nobody"]) == 2
    assert command.main(["explain", str(tmp_path), "--child", "nobody"]) == 2


def test_every_reason_has_its_sentence():
    assert set(by_code._SENTENCES) == set(REASONS)


@pytest.mark.parametrize("compiler", [pytest.param("gcc", marks=pytest.mark.long), None])
def test_bench_measures_every_step(capsys, monkeypatch, compiler):
    monkeypatch.setattr(benchmark, "ROUNDS", 2)
    monkeypatch.setattr(benchmark, "SMALL", 400)
    monkeypatch.setattr(benchmark, "DRAWS", 2)
    if compiler:
        monkeypatch.setattr(benchmark, "GOALS_AT", 700)
        monkeypatch.setattr(benchmark.renumber, "LARGE_MARKET", 600)
    else:
        monkeypatch.setattr(benchmark.shutil, "which", lambda name: None)
        monkeypatch.setattr(benchmark, "FILES_AT_MOST", 500)
    assert command.main(["bench", "--children", "700"]) == 0
    found = json.loads(capsys.readouterr().out)
    always = {"solve_s", "solve_cpu_s", "solve_waited_s", "matching_s", "per_wish_ratio", "peak_mb", "load_before"}
    assert always <= set(found)
    assert found["proposals"] > 500
    assert found["share_of_cores_used_by_others"] is None or 0 <= found["share_of_cores_used_by_others"] <= 1
    assert ("goals" in found) == bool(compiler)
    if compiler:
        assert {"pairs_to_plain", "pools_to_plain", "check_s", "files_to_files_s", "thousand_draws_s"} <= set(found)
    if compiler and shutil.which("gcc"):
        assert {"matching_to_c", "solve_to_c", "c_loop_renumbered_cpu_s", "renumber_cpu_s"} <= set(found)
    elif compiler is None:
        assert found["c_loop"] == "no C compiler here" and "files_to_files_s" not in found


def test_the_module_runs_as_a_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["allocation", "verify", "/nowhere/at/all"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(command.__file__, run_name="__main__")
    assert ended.value.code == 2
    assert "neither a folder nor a zip" in capsys.readouterr().err


def test_a_folder_that_can_not_be_made_is_one_line(market_folder, tmp_path, capsys):
    assert command.main(["solve", str(market_folder), "--out", str(market_folder / "wishes.csv" / "result")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("wishes.csv: File exists")


def test_bench_does_not_measure_a_loop_that_disagrees(monkeypatch):
    nobody = lambda market: (1.0, [-1] * market.children)  # noqa: E731
    monkeypatch.setattr(benchmark, "compile_loop", lambda folder: nobody)
    with pytest.raises(AssertionError, match="disagree"):
        benchmark._against_c(tiny_market(41, children=8, units=False, pools=False), 1)


def test_a_market_that_fits_the_cache_is_compared_as_it_is():
    found = benchmark._against_c(tiny_market(41, children=8, units=False, pools=False), 2)
    assert "c_loop_renumbered_cpu_s" not in found
    assert ("matching_to_c" in found) == (shutil.which("gcc") is not None or shutil.which("cc") is not None)
