"""R9: what the audit trail costs of a write: `make bench-trail`.

In each round pgbench writes the rows of one submission, with and without the entry of the trail, one after the other in the same
database; then the sealer seals the entries.  Everything is seconds of a processor, of the server and of this process, which depend
little on what else the machine does.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from allocation.benchmark.timing import MachineLoad
from bench.web.rivals import OWN_ROWS, REMEMBER
from enrollment.ground import vault
from enrollment.ground.audit_chain import sealing
from enrollment.ground.db import open_engine
from portal.operations.embedded import BINARIES, Postgres
from tests.conftest import NOW
from tests.support.keys import KEYS
from tests.support.servers import Servers
from tests.support.town import Town

NAMES = [f"模拟{letter}" for letter in "甲乙丙丁戊己庚辛"]
ENTRY = re.compile(r"INSERT INTO audit_entry.*?;\n", re.DOTALL)
GOAL = 0.10


def prepare(url: str) -> int:
    """A town with families who have submitted, as `bench.web` remembers them; how many."""
    engine = open_engine(url)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        garden = town.kindergarten("金苹果", places=len(NAMES))
        made = [town.child(name, wishes=[garden]).id for name in NAMES]
        session.commit()
        sealing.seal_all(session)
        session.commit()
    engine.dispose()
    with psycopg.connect(url) as connection:
        for statement in REMEMBER:
            connection.execute(statement, [made] if "%s" in statement else None)
    return len(made)


def of_server(server: Postgres) -> float:
    """Seconds of a processor of all connections that have ended."""
    assert server.child is not None
    assert server.child.process is not None
    times = psutil.Process(server.child.process.pid).cpu_times()
    return float(times.children_user + times.children_system)


def write(server: Postgres, script: Path, drafts: int, times: int, database: str) -> float:
    """Seconds of the server's processor for one transaction of the script."""
    before = of_server(server)
    command = [
        str(BINARIES / "pgbench"),
        "-n",
        "-M",
        "prepared",
        "-c",
        "2",
        "-t",
        str(times // 2),
        "-D",
        f"drafts={drafts}",
    ]
    command += ["-f", str(script), "-h", str(server.sockets), "-U", "postgres", database]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "number of failed transactions: 0 " not in done.stdout:
        raise RuntimeError(done.stdout + done.stderr)
    time.sleep(0.5)  # until the server has seen the connections end
    return (of_server(server) - before) / times


def seal(url: str) -> tuple[float, int]:
    """Seconds of a processor, here and in the server, for one entry; and how many were sealed."""
    engine = open_engine(url)
    with Session(engine) as session:
        backend = psutil.Process(session.execute(text("SELECT pg_backend_pid()")).scalar_one())

        def used() -> float:
            times = backend.cpu_times()
            return time.process_time() + times.user + times.system

        began, found = used(), 0
        while more := sealing.seal(session):
            found += more
        session.commit()
        took = used() - began
    engine.dispose()
    return took / max(found, 1), found


def measure(rounds: int, times: int, submission: float) -> dict[str, Any]:
    vault.unlock(KEYS)
    servers = Servers()
    try:
        addresses = servers.start()
        url, server = addresses.create("trail"), servers.postgres
        if server is None:
            raise RuntimeError("DATABASE_URL is set: the processor time of that server is not known here")
        drafts, load = prepare(url), MachineLoad()
        scripts = {name: servers.folder / f"{name}.sql" for name in ("with", "without")}
        scripts["with"].write_text(OWN_ROWS)
        scripts["without"].write_text(ENTRY.sub("", OWN_ROWS))
        spent: dict[str, list[float]] = {"with": [], "without": [], "sealing": []}
        for number in range(rounds):
            for name in ("with", "without") if number % 2 == 0 else ("without", "with"):
                spent[name].append(write(server, scripts[name], drafts, times, "trail"))
            each, found = seal(url)
            assert found == times, f"{found} of {times} entries were sealed"
            spent["sealing"].append(each)
        found_ms = {name: round(1000 * statistics.median(values), 3) for name, values in spent.items()}
        entry = max(statistics.median(a - b for a, b in zip(spent["with"], spent["without"], strict=True)), 0.0)
        trail = entry + statistics.median(spent["sealing"])
        whole = submission / 1000 + statistics.median(spent["with"]) + statistics.median(spent["sealing"])
        return {
            "rounds": rounds, "writes": times, **{f"{name}_ms": value for name, value in found_ms.items()},
            "entry_ms": round(1000 * entry, 3), "trail_ms": round(1000 * trail, 3),
            "of_own_rows": round(trail / (statistics.median(spent["without"]) + trail), 3),
            "of_submission": round(trail / whole, 3), "python_of_submission_ms": submission,
            "date": time.strftime("%Y-%m-%d"), **load.figures(),
        }  # fmt: skip
    finally:
        servers.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-trail", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--writes", type=int, default=4000, help="transactions of each script in a round")
    parser.add_argument(
        "--python",
        type=float,
        default=3.5,
        help="milliseconds of Python for a submission, as `make bench-web` measures them",
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.rounds, options.writes, options.python)
    print(
        f"R9   rows {found['without_ms']} ms, entry {found['entry_ms']} ms, sealing {found['sealing_ms']} ms of a processor"
    )
    print(
        f"     {found['of_submission']:.1%} of a submission, {found['of_own_rows']:.1%} of its bare rows     goal <= {GOAL:.0%} of the submit rate"
    )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1))
    return 0 if found["of_submission"] <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
