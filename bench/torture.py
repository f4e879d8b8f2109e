"""Loses, stops and cuts everything at random under load: `make torture MINUTES=60`.

A whole `make serve` runs in a folder of its own, on a small disk of its own where this process may mount one.  Families submit
without a pause and send again what was not answered; a ledger keeps what was acknowledged.  Meanwhile processes are killed,
stopped for seconds and restarted, the queue is flushed, connections are cut, the disk is full for seconds.  At the end SQL compares
the ledger with the tables, and no person of the city may stand readable in a table, the queue, a log or another file.  Only processes that this one started are touched, by their ids, and only 127.0.0.1.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import itertools
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bench.families import Browser, Page, Tally, fields_of
from bench.processors import watched
from bench.rehearsal import City
from bench.served_city import sign_in
from bench.torture_acts import Event, Tormentor
from enrollment.ground import jobs
from enrollment.ground.demo_clock import DemoClock
from enrollment.maintenance import invariants
from portal.web.clock import real_now
from tests.operations.serving import Serving
from tests.support.leaks import leaks

AT_ONCE = 6
"""Families that submit at the same time."""

JOB_EVERY = 2.0
SETTLING = 150.0
"""Seconds after the last act within which everything must be done."""

DISK_MEGABYTES = 1200
GOES_ON, WORK_GOES_ON = 30.0, 45.0
LONG_SILENCE = 5.0
"""Seconds without an acknowledged submission that are told with the acts before them."""


@dataclass
class Ledger:
    """What was acknowledged: applications, and keys of background jobs with the time of their commit."""

    submitted: set[str] = field(default_factory=set)
    answered_at: list[float] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)


class Torture:
    def __init__(self, city: City, seconds: float, chance: random.Random):
        self.city, self.seconds, self.chance = city, seconds, chance
        self.tally, self.ledger, self.over = Tally(), Ledger(), threading.Event()
        self.sessions = sign_in(city.engine)
        self.pause = 0.7 * seconds * AT_ONCE / len(city.families)  # so that the families last until the end
        with Session(city.engine) as session:
            self.ahead: dt.timedelta = session.scalars(select(DemoClock.ahead)).one()

    async def load(self) -> None:
        waiting = iter(self.city.families)
        await asyncio.gather(*(self._families(waiting) for _ in range(AT_ONCE)))

    async def _families(self, waiting: Iterator[Any]) -> None:
        while not self.over.is_set():
            family = next(waiting, None)
            if family is None:
                return
            await self._submit(family.application)
            await asyncio.sleep(self.chance.uniform(0, 2 * self.pause))

    async def _submit(self, application: str) -> None:
        """Until a receipt is seen, or the time is over.  An answer that was lost is asked for again, with the same key."""
        path = f"/parents/applications/{application}/check"
        while not self.over.is_set():
            browser = Browser(self.city.portal.port, self.tally, self.chance)
            browser.cookies["session"] = self.sessions[application]
            try:
                form = await browser.ask("check page", path)
                sent = [*(each for each in fields_of(form) if each[0] != "true"), ("true", "y")]
                page = await browser.ask("submit", path, sent)
                if page.status == 303 and "/receipts/" in page.location:
                    self._acknowledged(application)
                    return
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
                await asyncio.sleep(self.chance.random())
                if await self._is_submitted(browser, application):
                    return
            finally:
                browser.close()

    async def _is_submitted(self, browser: Browser, application: str) -> bool:
        """Whether the status page shows a receipt: the answer was lost and the submission was not."""
        with contextlib.suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            page: Page = await browser.ask("status", f"/parents/applications/{application}")
            if page.status == 200 and b"/receipts/" in page.body:
                self._acknowledged(application)
                return True
        return False

    def _acknowledged(self, application: str) -> None:
        self.ledger.submitted.add(application)
        self.ledger.answered_at.append(self.tally.now())

    def enqueue_jobs(self) -> None:
        """Background work as a service function writes it; a commit that was not acknowledged does not count."""
        while not self.over.wait(JOB_EVERY):
            key = f"torture:{secrets.token_hex(8)}"
            with contextlib.suppress(SQLAlchemyError):
                with Session(self.city.engine) as session, session.begin():
                    jobs.enqueue(session, "bonds_incomplete", key=key, now=self.city_now())
                self.ledger.jobs.append(key)

    def city_now(self) -> dt.datetime:
        """The time of the demo's clock."""
        return real_now() + self.ahead

    def run(self, tormentor: Tormentor) -> None:
        self.tally.began = time.monotonic()
        load = threading.Thread(target=lambda: asyncio.run(self.load()))
        enqueuing = threading.Thread(target=self.enqueue_jobs)
        for each in (load, enqueuing):
            each.start()
        self._wait_for_submission(after=0.0)
        ends = time.monotonic() + self.seconds
        while time.monotonic() < ends:
            tormentor.strike()
            time.sleep(self.chance.uniform(1.5, 5))
        self._wait_for_submission(after=self.tally.now())
        self.over.set()
        for each in (load, enqueuing):
            each.join()

    def _wait_for_submission(self, after: float) -> None:
        """Return when a submission was acknowledged after this moment, or none came within `GOES_ON`."""
        limit = time.monotonic() + GOES_ON
        while time.monotonic() < limit:
            if any(moment > after for moment in self.ledger.answered_at[-AT_ONCE:]):
                return
            time.sleep(0.2)

    def settled(self) -> float | None:
        """Seconds until no job and no message waits; None if that takes too long."""
        began = time.monotonic()
        query = text(
            "SELECT (SELECT count(*) FROM job WHERE dedupe_key LIKE 'torture:%' AND state <> 'done')"
            " + (SELECT count(*) FROM notice WHERE state IN ('waiting','sending') AND next_try_at <= :now)"
        )
        while time.monotonic() - began < SETTLING:
            with contextlib.suppress(SQLAlchemyError), self.city.engine.connect() as connection:
                if connection.execute(query, {"now": self.city_now()}).scalar_one() == 0:
                    return time.monotonic() - began
            time.sleep(0.5)
        with Session(self.city.engine) as session:
            for row in session.execute(text("SELECT kind, state, count(*) FROM job GROUP BY 1, 2")).all():
                print("job", *row)
            for row in session.execute(
                text("SELECT kind, state, last_error, count(*) FROM notice GROUP BY 1, 2, 3")
            ).all():
                print("message", *row)
        return None

    def figures(self, events: list[Event]) -> dict[str, Any]:
        proof = self.city.proof(self.ledger.submitted)
        with Session(self.city.engine) as session:
            query = text(
                "SELECT dedupe_key, state, attempts, extract(epoch FROM finished_at - created_at) AS took FROM job WHERE dedupe_key LIKE 'torture:%'"
            )
            rows = {row.dedupe_key: row for row in session.execute(query)}
            doubled = session.execute(
                text("SELECT count(*) FROM (SELECT key FROM sent_message GROUP BY key HAVING count(*) > 1) d")
            ).scalar_one()
            found = [f"{each.code} {each.subject}" for each in invariants.find_violations(session)]
        kills = [event for event in events if event.kind.startswith("kill")]
        done = [row for row in rows.values() if row.state == "done"]
        return {
            "seconds": round(self.seconds),
            "acts": len(events),
            "kills": len(kills),
            "by_kind": {
                kind: sum(event.kind == kind for event in events) for kind in sorted({event.kind for event in events})
            },
            "requests": len(self.tally.seen),
            "unanswered": sum(each.status == 0 for each in self.tally.seen),
            "internal_errors": sum(each.status == 500 for each in self.tally.seen),
            **proof,
            "jobs": len(self.ledger.jobs),
            "jobs_lost": sum(key not in rows or rows[key].state != "done" for key in self.ledger.jobs),
            "longest_job_seconds": round(max((float(row.took) for row in done), default=0.0), 1),
            "messages_twice": doubled,
            "violations": found,
            "longest_silence_seconds": round(self._longest_silence(), 1),
            "silences": self._silences(events),
            "restarts": sum(event.kind == "restart families" for event in events),
            "unanswered_at_restarts": self._unanswered_at(events, "restart families"),
        }

    def _longest_silence(self) -> float:
        """The longest time without an acknowledged submission."""
        moments = sorted(self.ledger.answered_at)
        return max((after - before for before, after in itertools.pairwise(moments)), default=0.0)

    def _silences(self, events: list[Event]) -> list[dict[str, Any]]:
        """Each long time without an acknowledged submission, with the acts before it and the slow requests in it."""
        found = []
        for before, after in itertools.pairwise(sorted(self.ledger.answered_at)):
            if after - before >= LONG_SILENCE:
                inside = [each for each in self.tally.seen if before <= each.at + each.seconds and each.at <= after]
                slow = sorted(inside, key=lambda each: each.seconds)[-3:]
                found.append({
                    "at": round(before, 1),
                    "seconds": round(after - before, 1),
                    "acts": [f"{each.at:.1f} {each.kind}" for each in events if before - 1 <= each.at <= after],
                    "answers": {str(status): sum(each.status == status for each in inside) for status in sorted({each.status for each in inside})},
                    "slowest": [f"{each.at:.1f} {each.kind} {each.status} {each.seconds:.1f} s" for each in slow],
                })  # fmt: skip
        return found

    def _unanswered_at(self, events: list[Event], kind: str) -> int:
        """Requests that got no answer within three seconds after an act of this kind and after no other one."""
        count = 0
        for event in (each for each in events if each.kind == kind):
            others = any(other is not event and -8 < event.at - other.at < 8 for other in events)
            if not others:
                count += sum(
                    each.status == 0 and event.at <= each.at + each.seconds <= event.at + 3 for each in self.tally.seen
                )
        return count


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of its own under the data of the portal, where this process may mount one."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0755", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode == 0  # fmt: skip
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def start_again(folder: Path, city: City) -> Callable[[Serving], Serving]:
    """`kill -9` of the supervisor, whose children die with it, and another one on the same port."""

    def restart(portal: Serving) -> Serving:
        family = portal.family()
        portal.process.send_signal(signal.SIGKILL)
        portal.process.wait()
        portal.make_sure(family)
        city.portal = Serving(folder, portal.port)
        return city.portal

    return restart


def torture(seconds: float, families: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    data = Path(tempfile.mkdtemp(prefix="torture-"))
    data.chmod(0o755)
    try:
        with small_disk(data) as disk:
            city = City(data, families, 0, {})
            try:
                it = Torture(city, seconds, chance)
                tormentor = Tormentor(city.portal, data, start_again(data, city), it.tally.now, chance, disk)
                with watched(city) as spent:
                    it.run(tormentor)
                settled = it.settled()
                readable = leaks(city.engine, f"unix://{data}/valkey/valkey.sock", data)
                return it.figures(tormentor.events) | {
                    "persons": 2 * len(city.families),
                    "readable": [f"{place}: {each}" for place, each in readable],
                    "settled_seconds": None if settled is None else round(settled, 1),
                    "full_disk": disk is not None,
                    "others": round(spent.share_of_others, 2),
                    "date": time.strftime("%Y-%m-%d"),
                    "cores": os.cpu_count(),
                    "memory_gigabytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30,
                    "seed": seed,
                }
            finally:
                city.end()
    finally:
        shutil.rmtree(data, ignore_errors=True)


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Each figure beside its goal, as `trust` names them."""
    return [
        ("R1", f"{found['lost']} lost of {found['acknowledged']} acknowledged, {found['kills']} kills", "0 of 1,000,000, 200 kills"),
        ("R2", f"{found['double']} double, {found['unanswered']} unanswered requests sent again", "0"),
        ("R5", f"{found['jobs_lost']} of {found['jobs']} jobs lost, the longest took {found['longest_job_seconds']} s", f"0, ≤ {WORK_GOES_ON:.0f} s"),
        ("R8", f"{found['unanswered_at_restarts']} unanswered at {found['restarts']} restarts by SIGTERM", "0 of 100"),
        ("messages", f"{found['messages_twice']} twice, all sent after {found['settled_seconds']} s", "0"),
        ("S3", f"{len(found['readable'])} readable of {found['persons']} persons, in tables, queue, logs and files", "0 of 1,000"),
        ("invariants", f"{len(found['violations'])} violated", "0"),
        ("silence", f"at most {found['longest_silence_seconds']} s without a submission", f"≤ {GOES_ON:.0f} s"),
    ]  # fmt: skip


def show(found: dict[str, Any]) -> None:
    for name, value, goal in rows_of(found):
        print(f"{name:11} {value:66} goal {goal}")
    for each in found["silences"]:
        print(
            f"{each['seconds']} s without a submission: {'; '.join(each['acts'])} · answers {each['answers']} · {'; '.join(each['slowest'])}"
        )
    print(f"acts: {', '.join(f'{kind} {n}' for kind, n in found['by_kind'].items())}")
    print(
        f"{found['date']}, {found['cores']} cores, {found['memory_gigabytes']} GB; others used {found['others']:.0%} of the cores; "
        f"{'' if found['full_disk'] else 'no full disk, because nothing could be mounted; '}seed {found['seed']}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--families", type=int, help="that wait to submit; as many as the time needs")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    # the portal that was started must end with this process
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    found = torture(asked.minutes * 60, asked.families or int(asked.minutes * 500), asked.seed)
    show(found)
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    whole = not (
        found["lost"]
        or found["double"]
        or found["jobs_lost"]
        or found["messages_twice"]
        or found["violations"]
        or found["readable"]
    )
    return 0 if whole and found["settled_seconds"] is not None else 1


if __name__ == "__main__":
    sys.exit(main())
