"""Runs the quicker tests of the engine without the compiler; fails if a line or a branch of ``allocation/`` is not reached.

python -m tests.engine.engine_coverage
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLOW_AND_NOT_NEEDED = ("test_other_programs", "test_existence", "test_planted_bugs", "test_every_outcome")
NOT_NEEDED = "not _makes_ and not _gains_ and not in_a_replay and not _order_of_"


def run() -> subprocess.CompletedProcess:
    """pytest with coverage in a process of its own; the output is captured.

    Without a C compiler the benchmark can not be compared with the C loop, and is left out.
    """
    without_compiler = (
        "" if shutil.which("gcc") or shutil.which("cc") else "omit = allocation/benchmark/measurements.py\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "settings").write_text(f"[run]\nbranch = true\n{without_compiler}")
        own = {"NUMBA_DISABLE_JIT": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COVERAGE_FILE": f"{folder}/coverage"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        command = [
            sys.executable, "-m", "pytest", "-p", "pytest_cov", "-p", "no:cacheprovider", "-q", "--tb=short",
            "--confcutdir=tests/engine", "--cov=allocation", f"--cov-config={folder}/settings", "--cov-fail-under=100",
            "--cov-report=term-missing:skip-covered", "-m", "not browser", "-k", NOT_NEEDED,
            *(f"--ignore=tests/engine/{name}.py" for name in SLOW_AND_NOT_NEEDED), "tests/engine",
        ]  # fmt: skip
        return subprocess.run(command, cwd=ROOT, env=kept | own, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    done = run()
    print(done.stdout, done.stderr, sep="\n")
    sys.exit(done.returncode)
