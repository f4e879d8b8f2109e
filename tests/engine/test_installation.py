"""The engine installs alone and works outside the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "allocation"
OUTSIDE = """
import pathlib, sys
import allocation
from allocation import Market, solve
assert pathlib.Path(allocation.__file__).is_relative_to(sys.argv[1]), allocation.__file__
assert "numba" not in sys.modules and "pyarrow" not in sys.modules  # a quick import
from allocation import explain, verify
market = Market.from_frames(
    {"programme": ["rose", "lily"], "places": [1, 1]}, {"child": ["ann", "ben"]},
    {"child": ["ann", "ben", "ben"], "programme": ["rose", "rose", "lily"]}, tickets={"child": ["ann", "ben"], "ticket": [2, 1]},
)
outcome = solve(market)
print(outcome.by_code.placements)
print(verify(market, outcome), *explain(outcome, "ann"))
print(sorted({"flask", "sqlalchemy", "enrollment", "portal"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_eng11_the_engine_installs_alone_and_solves_outside_the_repository(tmp_path):
    source, target, elsewhere = tmp_path / "allocation", tmp_path / "site", tmp_path / "elsewhere"
    shutil.copytree(ENGINE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    elsewhere.mkdir()
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--target", str(target), str(source)], check=True, capture_output=True, cwd=elsewhere)
    packaged = {path.relative_to(target / "allocation").as_posix() for path in (target / "allocation").rglob("*.py")}
    assert packaged == {
        path.relative_to(ENGINE).as_posix() for path in ENGINE.rglob("*.py") if "build" not in path.parts
    }
    [metadata] = target.glob("*.dist-info/METADATA")
    required = re.findall(r"^Requires-Dist: (\w+)[^;\n]*$", metadata.read_text("utf-8"), re.MULTILINE)
    assert sorted(required) == ["numba", "numpy", "pyarrow"]
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    run = subprocess.run(
        [sys.executable, "-c", OUTSIDE, str(target)], check=True, capture_output=True, text=True, cwd=elsewhere,
        env=environment | {"PYTHONPATH": str(target)},
    )  # fmt: skip
    ann, ben = "Placement(programme='rose', rank=1, pool='general')", "None"
    assert run.stdout.splitlines() == [
        f"{{'ann': {ben}, 'ben': {ann}}}",
        "[] wish 1, rose: ticket 2; the last admitted in tier 0 of pool general has ticket 1",
        "[]",
    ]
    [command] = target.glob("bin/allocation")
    assert command.is_file()


def test_eng11_the_versions_of_the_engine_and_of_the_portal_agree():
    """The requirements of the engine alone are among those of the whole project."""
    own = set(re.findall(r'"([a-z]+[<>=0-9.,]+)"', (ENGINE / "pyproject.toml").read_text("utf-8")))
    whole = (ENGINE.parent / "setup.cfg").read_text("utf-8").replace(" ", "")
    assert {one for one in own if not one.startswith("setuptools")} <= set(whole.splitlines())
