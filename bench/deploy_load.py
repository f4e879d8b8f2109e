"""A portal that runs from the code behind a link, the families that read and submit while its parts are restarted, and their ledger."""

import asyncio
import contextlib
import datetime as dt
import itertools
import json
import os
import random
import secrets
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bench.families import Browser, Seen, Tally, fields_of
from bench.rehearsal import percentile, proof
from bench.torture_acts import PARTS
from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from enrollment.ground.demo_clock import DemoClock
from portal.operations.embedded import Postgres
from portal.web.clock import real_now

ROOT = Path(__file__).parents[1]

AT_ONCE = 4
"""Families that read or submit at the same time."""

THINKS = 0.3
"""Seconds between two requests of a family, on average."""

LONGEST_RESTART = 120.0
SETTLING = 120.0
JOB_EVERY = 1.0
GONE = (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError)


class Portal:
    """A portal that was started from the code behind `link`, and the sessions of its families."""

    def __init__(self, data: Path, link: Path, families: int):
        self.data = data
        # the interpreter must not put the folder that the link means now before the link itself
        environ = os.environ | {"PYTHONPATH": str(link), "PYTHONSAFEPATH": "1"}
        self.builder = subprocess.Popen(
            [sys.executable, str(ROOT / "bench" / "served_city.py"), str(data), str(families)],
            cwd=link, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert self.builder.stdout is not None
        found = json.loads(self.builder.stdout.readline() or "{}")
        if not found:
            raise RuntimeError("the portal did not start: its words are above")
        self.supervisor, self.port = psutil.Process(found["pid"]), found["port"]
        self.sessions: dict[str, str] = found["sessions"]
        self.owner_url = Postgres(data / "postgres", data).url("portal")
        self.engine: Engine = open_engine(self.owner_url)

    def child(self, part: str, than: psutil.Process | None = None) -> psutil.Process | None:
        """The process of this part, or None if there is none besides `than`."""
        for process in self.supervisor.children():
            with contextlib.suppress(psutil.Error):
                if process != than and PARTS[part] in " ".join(process.cmdline()):
                    return process
        return None

    def settings(self) -> dict[str, str]:
        """The environment of its page processes."""
        pages = self.child("families master")
        assert pages is not None
        return pages.environ()

    def end(self) -> None:
        self.engine.dispose()
        family = self.supervisor.children(recursive=True) if self.supervisor.is_running() else []
        assert self.builder.stdin is not None
        self.builder.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.builder.wait(60)
        for process in [*family, self.supervisor]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if self.builder.poll() is None:
            self.builder.kill()


def restart(portal: Portal, part: str) -> float:
    """End a part in order; the seconds from its end until the next one works.  Page processes work when they are forked."""
    before = portal.child(part)
    assert before is not None, part
    is_nginx = "nginx" in " ".join(before.cmdline())
    before.send_signal(signal.SIGQUIT if is_nginx else signal.SIGTERM)
    limit = time.monotonic() + LONGEST_RESTART
    while before.is_running() and before.status() != psutil.STATUS_ZOMBIE and time.monotonic() < limit:
        time.sleep(0.02)
    ended = time.monotonic()
    while time.monotonic() < limit:
        now = portal.child(part, than=before)
        if now is not None and (now.children() or not part.endswith("master")):
            return time.monotonic() - ended
        time.sleep(0.02)
    raise RuntimeError(f"{part} is not back after {LONGEST_RESTART:.0f} s")


@dataclass
class Load:
    """Families that read and submit, and background work that is ordered, until it is over."""

    portal: Portal
    chance: random.Random
    tally: Tally = field(default_factory=Tally)
    jobs: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        with Session(self.portal.engine) as session:
            self.ahead: dt.timedelta = session.scalars(select(DemoClock.ahead)).one()
        threads = [threading.Thread(target=lambda: asyncio.run(self._come())), threading.Thread(target=self._order)]
        for each in threads:
            each.start()
        try:
            yield
        finally:
            self.over.set()
            for each in threads:
                each.join()

    async def _come(self) -> None:
        waiting = iter(self.portal.sessions.items())
        await asyncio.gather(*(self._families(waiting) for _ in range(AT_ONCE)))

    async def _families(self, waiting: Iterator[tuple[str, str]]) -> None:
        """One family after the other; when all have submitted, they read."""
        for application, session in itertools.chain(waiting, itertools.cycle(self.portal.sessions.items())):
            if self.over.is_set():
                return
            browser = Browser(self.portal.port, self.tally, self.chance)
            browser.cookies["session"] = session
            try:
                await self._visit(browser, application)
            except GONE:
                await asyncio.sleep(self.chance.random())
            finally:
                browser.close()

    async def _visit(self, browser: Browser, application: str) -> None:
        async def ask(kind: str, path: str, form: list[tuple[str, str]] | None = None) -> Any:
            browser.close()
            page = await browser.ask(kind, path, form)
            await asyncio.sleep(self.chance.expovariate(1 / THINKS))
            return page

        path = f"/parents/applications/{application}"
        await ask("home", "/")
        if application not in self.tally.acknowledged:
            form = await ask("check page", f"{path}/check")
            sent = [*(each for each in fields_of(form) if each[0] != "true"), ("true", "y")]
            page = await ask("submit", f"{path}/check", sent)
            if page.status != 303 or "/receipts/" not in page.location:
                self.tally.failed.append(f"submit answered {page.status} {page.location}")
                return
            self.tally.acknowledged.add(application)
            await ask("receipt", page.location)
        await ask("status", path)

    def _order(self) -> None:
        while not self.over.wait(JOB_EVERY):
            key = f"deploy:{secrets.token_hex(8)}"
            with contextlib.suppress(SQLAlchemyError):
                with Session(self.portal.engine) as session, session.begin():
                    jobs.enqueue(session, "bonds_incomplete", key=key, now=real_now() + self.ahead)
                self.jobs.append(key)

    def reads(self, seconds: float) -> tuple[float, float]:
        """Let them go on; when this part began and ended."""
        began = self.tally.now()
        time.sleep(seconds)
        return began, self.tally.now()

    def during(self, part: tuple[float, float]) -> list[Seen]:
        """The requests of which a part lay in this time."""
        return [each for each in self.tally.seen if each.at <= part[1] and each.at + each.seconds >= part[0]]

    def unfinished_jobs(self) -> int:
        """Those of the ordered ones that are not done when everything had time to settle."""
        query = text("SELECT count(*) FROM job WHERE dedupe_key = ANY(:keys) AND state = 'done'")
        limit = time.monotonic() + SETTLING
        while True:
            with self.portal.engine.connect() as connection:
                done: int = connection.execute(query, {"keys": self.jobs}).scalar_one()
            if done == len(self.jobs) or time.monotonic() > limit:
                return len(self.jobs) - done
            time.sleep(0.5)


def has_failed(one: Seen) -> bool:
    """Without an answer, or an error; a place in the line or the page of a short pause is counted apart."""
    return one.status == 0 or (one.status >= 500 and not one.waited)


def times_of(seen: list[Seen]) -> dict[str, Any]:
    took = [each.seconds for each in seen]
    return {
        "requests": len(seen),
        "failed": sum(map(has_failed, seen)),
        "told_to_wait": sum(each.waited for each in seen),
        "p50_seconds": round(statistics.median(took), 3) if took else 0.0,
        "p99_seconds": round(percentile(took, 0.99), 3),
    }


def failures(load: Load) -> list[str]:
    """The requests that failed, and the first of those that were told to wait."""
    told = [
        f"{each.at:.1f} s {each.kind} {each.status} after {each.seconds:.1f} s"
        for each in load.tally.seen
        if has_failed(each)
    ]
    return [*told, *load.tally.failed][:20]


def ledger(load: Load) -> dict[str, Any]:
    return {
        **proof(load.portal.engine, load.tally.acknowledged),
        "jobs": len(load.jobs),
        "jobs_lost": load.unfinished_jobs(),
    }
