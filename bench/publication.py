"""R4: a result is published once, whatever happens to its worker: `make publication RUNS=500`.

A signed and prepared run waits for its hour in a small database, which is copied for each of the runs.  A process of its own
publishes it.  At a random moment between its lease and its end it is killed (SIGKILL), paused (SIGSTOP) until another
worker with a later clock has taken the lease, or its connections are cut.  Then the rows are compared with those of one
publication: offers, messages, entries of the audit trail, taken places, the job.
"""

import argparse
import datetime as dt
import json
import os
import random
import signal
import statistics
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from allocation.benchmark.timing import MachineLoad
from enrollment.draw.publication import hours, preparation
from enrollment.draw.publication.rows import Publication
from enrollment.ground import jobs, vault
from enrollment.ground.db import open_engine
from portal.jobs import runner
from portal.web.clock import real_now
from tests.conftest import NOW
from tests.support.keys import KEYS
from tests.support.servers import Addresses, Servers
from tests.support.town import Town

TEMPLATE, COPY = "publication_template", "publication_run"
NAMES = [f"模拟{letter}" for letter in "甲乙丙丁戊己庚辛壬癸子丑"]
PLACES = 5
FAULTS = ("kill", "pause", "cut")
ONCE = {"offers": PLACES, "messages": len(NAMES), "published": 1, "taken": PLACES, "entries": 1, "jobs": 1}
"""What is there after one publication."""

STATE = """
    SELECT (SELECT count(*) FROM offer) AS offers, (SELECT count(*) FROM notice WHERE kind = 'result_published') AS messages,
        (SELECT count(*) FROM run WHERE state = 'published') AS published, (SELECT sum(taken) FROM programme) AS taken,
        (SELECT count(*) FROM audit_entry WHERE act = 'publish' AND subject = 'run') AS entries,
        (SELECT count(*) FROM job WHERE kind = 'publish_run' AND state = 'done') AS jobs
"""


@dataclass(frozen=True)
class Waiting:
    """A run that waits for its hour, and the job that publishes it."""

    job: uuid.UUID
    hour: dt.datetime


def prepare(url: str) -> Waiting:
    """A town of 12 families and 5 places with a signed and prepared run."""
    engine = open_engine(url)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        garden = town.kindergarten("金苹果", places=PLACES)
        for name in NAMES:
            town.child(name, wishes=[garden])
        town.everyone_is_reviewed()
        town.freeze()
        town.seed()
        run = town.run()
        hour = town.now + dt.timedelta(hours=1)
        town.announce_hour(hour)
        town.sign(run)
        preparation.prepare(session, run.id, by=town.city_pair()[1], now=town.now)
        session.commit()
        job = session.scalars(select(jobs.Job.id).where(jobs.Job.kind == hours.PUBLISH)).one()
        hour = session.get_one(Publication, run.id).hour
    engine.dispose()
    return Waiting(job, hour)


class Worker:
    """A process that does the job as a worker does.  `late`: how much its clock is after the hour."""

    def __init__(self, url: str, waiting: Waiting, late: dt.timedelta, name: str):
        self.began = time.monotonic()
        self.pid = os.fork()
        if self.pid:
            return
        began = real_now()  # the child
        engine = open_engine(url)
        try:
            runner.run(engine, lambda _session: waiting.hour + late + (real_now() - began), waiting.job, name)
        except Exception:
            os._exit(1)
        os._exit(0)

    def is_over(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ends(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        limit = time.monotonic() + seconds
        while not self.is_over():
            if time.monotonic() > limit:
                return False
            time.sleep(0.002)
        return True

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def reap(self) -> None:
        os.waitpid(self.pid, 0)


def undisturbed(addresses: Addresses, waiting: Waiting) -> float:
    """Seconds of a publication to which nothing happens; and it is checked."""
    url = addresses.create(COPY, TEMPLATE)
    worker = Worker(url, waiting, dt.timedelta(), "alone")
    worker.ends(120)
    took = time.monotonic() - worker.began
    worker.reap()
    found = state(url)
    if found != ONCE:
        raise RuntimeError(f"an undisturbed publication gives {found}, not {ONCE}")
    return took


def disturb(addresses: Addresses, waiting: Waiting, fault: str, after: float) -> dict[str, Any]:
    """One publication with a fault; the rows at its end, and whether the fault came before the end of the worker."""
    url = addresses.create(COPY, TEMPLATE)
    first = Worker(url, waiting, dt.timedelta(), "first")
    in_time = not first.ends(after)
    if fault == "kill":
        first.send(signal.SIGKILL)
    elif fault == "pause":
        first.send(signal.SIGSTOP)
    else:
        cut(url)
    late = jobs.LEASE + dt.timedelta(seconds=1)
    second = Worker(url, waiting, late, "second")
    second.ends(2)  # it may wait for a lock of the paused one
    if fault == "pause":
        first.send(signal.SIGCONT)
    for each in (first, second):
        if not each.ends(60):
            each.send(signal.SIGKILL)
        each.reap()
    rounds = 0
    while state(url)["jobs"] == 0 and rounds < jobs.MOST_ATTEMPTS:  # as the scheduler gives it to another worker
        rounds += 1
        late += dt.timedelta(minutes=5)
        again = Worker(url, waiting, late, f"again {rounds}")
        again.ends(60)
        again.reap()
    return {"state": state(url), "in_time": in_time, "workers": 2 + rounds}


def cut(url: str) -> None:
    with psycopg.connect(url) as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"
        connection.execute(query, [COPY])


def state(url: str) -> dict[str, int]:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return {name: int(value or 0) for name, value in connection.execute(text(STATE)).mappings().one().items()}
    finally:
        engine.dispose()


def measure(runs: int, minutes: float, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    chance = random.Random(seed)
    runner.load_handlers()
    vault.unlock(KEYS)
    servers = Servers()
    try:
        addresses = servers.start()
        waiting = prepare(addresses.create(TEMPLATE))
        took = statistics.median(undisturbed(addresses, waiting) for _ in range(3))
        load, counted, wrong = MachineLoad(), Counter[str](), []
        until = time.monotonic() + 60 * minutes
        for number in range(runs):
            if time.monotonic() > until:
                break
            fault = chance.choice(FAULTS)
            found = disturb(addresses, waiting, fault, chance.uniform(0, 1.1 * took))
            counted[fault] += 1
            counted["runs"] += 1
            counted["in_time"] += found["in_time"]
            counted["third worker"] += found["workers"] > 2
            if found["state"] != ONCE:
                wrong.append({"run": number, "fault": fault, **found["state"]})
                say(f"run {number}: after {fault} {found['state']}")
        return {
            "seed": seed, "seconds_undisturbed": round(took, 2), **counted, "wrong": wrong,
            "double": sum(any(row[name] > ONCE[name] for name in ONCE) for row in wrong),
            "date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), **load.figures(),
        }  # fmt: skip
    finally:
        servers.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make publication", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=120, help="stop after so many minutes with what was done")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = measure(asked.runs, asked.minutes, asked.seed, lambda line: print(line, flush=True))
    faults = ", ".join(f"{fault} {found.get(fault, 0)}" for fault in FAULTS)
    print(
        f"R4  {found['double']} double and {len(found['wrong'])} other than once in {found['runs']} publications   goal 0 of 500"
    )
    print(
        f"    {faults}; {found['in_time']} before the worker had ended; {found['third worker']} needed a third worker"
    )
    others = found["share_of_cores_used_by_others"]
    print(f"    {found['date']}, {found['cores']} cores; others used {others:.0%} of the cores; seed {found['seed']}")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    return 0 if not found["wrong"] else 1


if __name__ == "__main__":
    sys.exit(main())
