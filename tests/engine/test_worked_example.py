"""The worked example of docs/engine.md is what the engine gives."""

from dataclasses import replace
from pathlib import Path

from allocation import checks, files
from allocation.solve import solve

DOCS = Path(__file__).parents[2] / "docs"
TOLD = (DOCS / "engine.md").read_text("utf-8")


def test_the_seven_children():
    market = files.read_market(DOCS / "example")
    outcome = solve(market)
    result = {name: data.decode() for name, data in files.result_files(outcome).items()}
    assert f"```\n{result['placements.csv']}```" in TOLD
    assert f"`{result['reasons.csv'].splitlines()[-1]}`" in TOLD
    assert outcome.overhang.tolist() == [0, 1]
    assert checks.check(market, outcome, solve).ok


def test_under_close_the_second_place_waits():
    outcome = solve(replace(files.read_market(DOCS / "example"), pair_rule="close"))
    assert outcome.programme.tolist() == [0, 0, 0, -1, -1, 1, -1]
    assert outcome.cutoffs.filled.tolist() == [1, 2, 1]


def test_every_module_of_the_engine_is_named():
    engine = DOCS.parent / "allocation"
    modules = {path.name for path in engine.rglob("*.py") if "build" not in path.parts} - {"__init__.py"}
    assert {name for name in modules if f"`{name}`" not in TOLD} == set()


def test_no_package_of_the_engine_has_more_than_25_modules():
    folders = {path.parent for path in (DOCS.parent / "allocation").rglob("*.py")}
    assert max(len(list(folder.glob("*.py"))) for folder in folders) <= 25
