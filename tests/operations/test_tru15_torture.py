"""TRU15, R1, R2, R5, R8: a minute of `make torture`; everything is killed, stopped and cut, and the
ledger agrees with the tables.  S3: no log of a fault names a person."""

import json
import subprocess
import sys

import pytest

from tests.operations.serving import ROOT


@pytest.mark.long
@pytest.mark.slow
def test_tru15_a_minute_of_torture_loses_and_doubles_nothing(tmp_path):
    command = [sys.executable, "-m", "bench.torture", "--minutes", "1", "--families", "250", "--seed", "1"]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "torture.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "torture.json").read_text())
    assert found["acknowledged"] > 50
    assert found["kills"] >= 3
    assert found["lost"] == found["double"] == found["jobs_lost"] == found["messages_twice"] == 0
    assert found["violations"] == []
    assert (found["persons"], found["readable"]) == (500, []), "S3, after faults too"
    assert found["settled_seconds"] is not None
