"""R7 and R8: a new version is deployed under load, and all processes are restarted in order: `make deploy-drill`, `make restarts`.

`python -m bench.deploys deploy [--earlier REVISION]`: the code of an earlier version, taken from the history of git, serves families
who read and submit.  `flask migrate` of this version upgrades its database meanwhile; then a link to the code is turned to this
version and each part is restarted, as `deploy/README.md` says.  The time of a page during the migration stands beside that before it.

`python -m bench.deploys restarts --times 100`: each part of this version is ended in order again and again (SIGTERM; nginx SIGQUIT, as
its supervisor and systemd do), the next one when the last is back.

A ledger of the families is compared with the tables.  Each request has a connection of its own: a browser asks again by itself
when a connection that it kept was closed meanwhile.
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
import statistics
import subprocess
import sys
import tempfile
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

from allocation.benchmark.timing import MachineLoad
from bench.families import Browser, Seen, Tally, fields_of
from bench.rehearsal import percentile, proof
from bench.torture_acts import PARTS
from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from enrollment.ground.demo_clock import DemoClock
from portal.operations import doctor
from portal.operations.embedded import Postgres
from portal.web.clock import real_now

ROOT = Path(__file__).parents[1]
ORDER = (
    "proxy",
    "line",
    "families master",
    "spare master",
    "desks master",
    "worker-hour",
    "worker",
    "scheduler",
    "sender",
)
AT_ONCE = 4
"""Families that read or submit at the same time."""

THINKS = 0.3
"""Seconds between two requests of a family, on average."""

LONGEST_RESTART = 120.0
SETTLING = 120.0
JOB_EVERY = 1.0
GONE = (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError)


class NoHistory(Exception):
    """The code of the earlier version is not to be had here."""


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=False)
    if done.returncode:
        raise NoHistory(f"git {words[0]}: {done.stderr.decode().strip() or 'failed'}")
    return done.stdout


def commit_of(earlier: str | None) -> tuple[str, str]:
    """The newest commit whose migrations end with this revision, and the revision; without one, the newest with fewer of them.

    A branch may have ended with a revision before those of another branch were put under it: its database is none of an earlier
    version.  Raises NoHistory.
    """
    folder = doctor.migrations()
    now = (ROOT / "migrations" / "HEAD").read_text().strip()
    for commit in _git("log", "--format=%H", "--", "migrations/HEAD", "migrations/versions").decode().split():
        if not _git("ls-tree", "--name-only", commit, "migrations/HEAD"):
            continue
        revision = _git("show", f"{commit}:migrations/HEAD").decode().strip()
        if revision == now or (earlier is not None and revision != earlier) or revision not in doctor.known_revisions():
            continue
        files = _git("ls-tree", "--name-only", commit, "migrations/versions/").decode().split()
        there = {Path(name).stem for name in files if name.endswith(".py")}
        if there == {each.revision for each in folder.iterate_revisions(revision, "base")}:
            return commit, revision
    raise NoHistory(f"no commit ends with the revision {earlier or 'before ' + now}")


def put_code(commit: str, folder: Path) -> None:
    """The files of a commit, with their translations compiled."""
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=_git("archive", commit), check=True)
    environ = os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    subprocess.run([sys.executable, "-m", "portal.text.catalogues"], cwd=folder, env=environ, check=True)


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


def migrate(portal: Portal) -> None:
    """`flask migrate` of this version as the owner of the tables, as `portal-migrate.service` runs it."""
    environ = portal.settings() | {"OWNER_DATABASE_URL": portal.owner_url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "migrate"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"flask migrate failed:\n{done.stdout}{done.stderr}")


def deploy(folder: Path, earlier: str | None, families: int, seconds: float, chance: random.Random) -> dict[str, Any]:
    commit, revision = commit_of(earlier)
    put_code(commit, folder / "earlier")
    link = folder / "release"
    link.symlink_to(folder / "earlier")
    portal = Portal(folder / "data", link, families)
    try:
        load, machine = Load(portal, chance), MachineLoad()
        with load.working():
            load.reads(seconds / 4)  # the first pages of a start compile their templates
            normal = load.reads(seconds)
            began = load.tally.now()
            migrate(portal)
            migrated = (began, load.tally.now())
            load.reads(2)
            (folder / "turned").symlink_to(ROOT)
            (folder / "turned").replace(link)
            began = load.tally.now()
            back = {part: round(restart(portal, part), 1) for part in ORDER if portal.child(part)}
            load.reads(3)
            restarted = (began, load.tally.now())
        before, within = times_of(load.during(normal)), times_of(load.during(migrated))
        with portal.engine.connect() as connection:
            head = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        return {
            "earlier": revision,
            "head": head,
            "migrate_seconds": round(migrated[1] - migrated[0], 1),
            "normal": before,
            "migration": within,
            "restarts": times_of(load.during(restarted)),
            "p99_ratio": round(within["p99_seconds"] / before["p99_seconds"], 2) if before["p99_seconds"] else None,
            "back_seconds": back,
            "failures": failures(load),
            **times_of(load.tally.seen),
            **ledger(load),
            **machine.figures(),
        }
    finally:
        portal.end()


def restarts(folder: Path, times: int, families: int, chance: random.Random) -> dict[str, Any]:
    link = folder / "release"
    link.symlink_to(ROOT)
    portal = Portal(folder / "data", link, families)
    try:
        load, machine = Load(portal, chance), MachineLoad()
        back: dict[str, list[float]] = {part: [] for part in ORDER}
        with load.working():
            load.reads(3)
            for part in itertools.islice(itertools.cycle(ORDER), times):
                back[part].append(restart(portal, part))
                load.reads(chance.uniform(0.5, 1.5))
            load.reads(3)
        return {
            "restarts": times,
            "longest_back_seconds": {part: round(max(each), 1) for part, each in back.items() if each},
            "failures": failures(load),
            **times_of(load.tally.seen),
            **ledger(load),
            **machine.figures(),
        }
    finally:
        portal.end()


def rows_of(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    rows = [
        ("requests", f"{found['failed']} failed of {found['requests']}, {found['told_to_wait']} told to wait", "0 failed"),
        ("ledger", f"{found['lost']} lost, {found['double']} double of {found['acknowledged']}", "0"),
        ("jobs", f"{found['jobs_lost']} lost of {found['jobs']}", "0"),
    ]  # fmt: skip
    if "earlier" not in found:
        longest = ", ".join(f"{part} {seconds}" for part, seconds in found["longest_back_seconds"].items())
        return [
            ("R8", f"{found['failed']} dropped at {found['restarts']} restarts", "0 at 100"),
            *rows,
            ("back after", longest, "≤ 5 s"),
        ]
    before, within, after = found["normal"], found["migration"], found["restarts"]
    return [
        ("R7", f"{found['earlier']} → {found['head']} in {found['migrate_seconds']} s", "under load"),
        ("migration", f"{within['failed']} failed of {within['requests']}", "0"),
        ("p99", f"{within['p99_seconds']} s, normal {before['p99_seconds']} s: {found['p99_ratio']} ×", "≤ 2 ×"),
        ("p50", f"{within['p50_seconds']} s, normal {before['p50_seconds']} s", ""),
        ("new code", f"{after['failed']} failed of {after['requests']} while {len(found['back_seconds'])} parts were restarted", "0"),
        *rows,
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("deploy", "restarts"))
    parser.add_argument("--earlier", help="the last migration of the earlier version; else that before the newest")
    parser.add_argument("--times", type=int, default=100, help="how many restarts")
    parser.add_argument("--families", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30, help="of normal load before the migration")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    # the portal that was started must end with this process
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="deploys-"))
    folder.chmod(0o755)
    chance = random.Random(asked.seed)
    try:
        if asked.what == "deploy":
            found = deploy(folder, asked.earlier or None, asked.families, asked.seconds, chance)
        else:
            found = restarts(folder, asked.times, asked.families, chance)
    except NoHistory as fault:
        print(f"the earlier version is taken from the history of git, and {fault}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found |= {"date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "seed": asked.seed}
    for name, value, goal in rows_of(found):
        print(f"{name:11} {value:66} {'goal ' + goal if goal else ''}")
    for each in found["failures"]:
        print(f"failed: {each}")
    print(
        f"{found['date']}, {found['cores']} cores; the portal and others used {found['share_of_cores_used_by_others']:.0%}; seed {asked.seed}"
    )
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(found, indent=1, ensure_ascii=False))
    return 1 if found["failed"] or found["lost"] or found["double"] or found["jobs_lost"] or found["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
