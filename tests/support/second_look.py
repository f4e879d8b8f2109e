"""A second look at failed tests that wait for real processes: `python -m tests.support.second_look`.

A page in Chromium and a worker in its own process may be starved on a machine of two cores while other tests run.  Such a
test runs once more, alone, and its name is printed.  A fault fails twice, and every other test has one try.
"""

import json
import subprocess
import sys
from pathlib import Path

WAITING_FOR_PROCESSES = ("tests/browser/", "tests/operations/")
MOST = 3
"""More failures than this are no matter of a slow machine."""

FAILED = Path(".pytest_cache/v/cache/lastfailed")


def main() -> int:
    """The exit code of the second look; 1 where none is due.

    The failed tests are asked for by name and not by marker: which forms of a test are `long` depends on the forms beside
    them, so that `-m long` would deselect one that is collected alone.
    """
    failed = sorted(json.loads(FAILED.read_text())) if FAILED.exists() else []
    if not failed or len(failed) > MOST or not all(test.startswith(WAITING_FOR_PROCESSES) for test in failed):
        return 1
    print("failed, and run once more alone:", *failed, sep="\n  ", flush=True)
    code = subprocess.call([sys.executable, "-m", "pytest", "-q", *failed])
    print("passed only when alone:" if code == 0 else "failed also alone:", *failed, sep="\n  ", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
