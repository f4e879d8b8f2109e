"""TRU15, R7, R8: a short form of `make deploy-drill` and `make restarts`; no request fails, and the ledger agrees with the tables."""

import json
import subprocess
import sys

import pytest

from tests.operations.serving import ROOT


def drill(tmp_path, *words: str) -> dict:
    command = [
        sys.executable,
        "-m",
        "bench.deploys",
        *words,
        "--families",
        "40",
        "--json",
        str(tmp_path / "found.json"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode == 2:
        pytest.skip(done.stderr)  # the sources without their history
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["acknowledged"] > 10
    assert found["failed"] == found["lost"] == found["double"] == found["jobs_lost"] == 0
    return found


@pytest.mark.long
@pytest.mark.slow
def test_tru15_a_version_is_deployed_under_the_pages_of_the_one_before(tmp_path):
    found = drill(tmp_path, "deploy", "--seconds", "3")
    assert found["head"] == (ROOT / "migrations" / "HEAD").read_text().strip() != found["earlier"]
    assert found["migration"]["requests"] > 0


@pytest.mark.long
@pytest.mark.slow
def test_tru15_each_part_is_restarted_in_order_and_nothing_is_dropped(tmp_path):
    assert drill(tmp_path, "restarts", "--times", "9")["restarts"] == 9
