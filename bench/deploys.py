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
import io
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from sqlalchemy import text

from allocation.benchmark.timing import MachineLoad
from bench.deploy_load import ROOT, Load, Portal, failures, ledger, restart, times_of
from portal.operations import doctor

ORDER = (
    "proxy",
    "line",
    "families master",
    "spare master",
    "desks master",
    "worker-hour",
    "worker-quick",
    "worker",
    "scheduler",
    "sender",
)


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
    version.  Nor was a commit ever deployed whose words cannot be read, as in the middle of a merge.  Raises NoHistory.
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
        if there == {each.revision for each in folder.iterate_revisions(revision, "base")} and _words_are_whole(commit):
            return commit, revision
    raise NoHistory(f"no commit ends with the revision {earlier or 'before ' + now}")


def _words_are_whole(commit: str) -> bool:
    """Each TOML file of the code can be read."""
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, "enrollment", "portal"))) as files:
        for each in files:
            if each.isfile() and each.name.endswith(".toml"):
                try:
                    tomllib.load(files.extractfile(each))  # type: ignore[arg-type]
                except tomllib.TOMLDecodeError:
                    return False
    return True


def put_code(commit: str, folder: Path) -> None:
    """The files of a commit, with their translations compiled."""
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", str(folder)], input=_git("archive", commit), check=True)
    environ = os.environ | {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    subprocess.run([sys.executable, "-m", "portal.text.catalogues"], cwd=folder, env=environ, check=True)


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
