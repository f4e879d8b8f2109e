"""TRU15, R6: the drill with a small city: restored within its goal, and no acknowledged commit is lost with archived WAL."""

import json
import subprocess
import sys

import pytest

from tests.operations.serving import ROOT


@pytest.mark.long
@pytest.mark.slow
def test_tru15_the_drill_restores_a_city_and_loses_no_commit(tmp_path):
    command = [sys.executable, "-m", "bench.restore_drill", "--families", "300", "--json", str(tmp_path / "drill.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "drill.json").read_text())
    assert found["acknowledged"] > 100
    assert found["lost"] == 0
    assert found["faults"] == []
    assert found["rto_seconds"] < found["rto_goal"] / 10
    assert set(found["seconds"]) == {"file", "data", "rows", "upgrade", "statistics", "trail", "invariants"}
