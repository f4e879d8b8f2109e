"""Measures the portal's hot paths: `make bench-web`, or `python -m bench.web [--only submit,status] [--json FILE]`.
`--only pages` measures what only reads, `--only background` the two writes beside background work.

It ends: a path has so many rounds (`--rounds`) and no new one after its time (`--limit`), every wait has a limit, and a path that
fails is told in the table while the others go on.  What is measured is written into the JSON file after each path, and printed
when the measurement is interrupted.  The exit status is 1 if a path failed.

Each path is sent in rounds of a few seconds over 16 connections by a client in this process, a page once more over 64.  In each round its rate is
divided by that of a rival in the same minute: for writes the rows of a submission in raw pgbench, for pages a bare Flask
"hello" on the same server; for the submission also a Django and a Flask-Core twin.  The ratio is the median of the rounds.

Statements are counted in the log of PostgreSQL, without BEGIN, COMMIT and the empty statement with which the pool tests a
connection.  Processor time is that of the page processes and of PostgreSQL, for one request.  The ratio in processor time compares the
cost of one act instead of the rates: it says the same on an idle machine, and is steadier on a busy one.

At the end of each city a write is measured with and without background work (`bench.web.background`).
"""

import argparse
import functools
import itertools
import json
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path as File
from typing import Any

import psycopg

from bench.machine import Machine, machine_line
from bench.web import background, load, paths, rivals
from bench.web import families as people
from bench.web.families import Family
from bench.web.ground import Ground, Server
from bench.web.paths import Path

TWINS = ("django", "core")
Requests = Callable[[], Iterator[load.Request]]
PAGES, BACKGROUND = "pages", "background"
PAGE_SECONDS = 2.0
"""A page is sent for at most so long in a round: a few hundred requests tell its processor time, and there are fifteen pages."""


@dataclass(frozen=True)
class Plan:
    """How long each path is measured, in seconds and rounds; `wanted` says which paths, and `keep` takes each result."""

    children: int
    seconds: float
    rounds: int
    limit: float
    wanted: Callable[[str], bool]
    keep: Callable[[dict], None]


class Bench:
    def __init__(self, ground: Ground, plan: Plan):
        self.ground, self.plan = ground, plan
        self.seconds, self.page_seconds = plan.seconds, min(plan.seconds, PAGE_SECONDS)
        self.hello: Server | None = None
        self.drafts: list[Family] = []

    def tried(self, path: Path, reset: Callable[[], None], twins: dict[str, Callable[[], float]]) -> None:
        """Measure the path; if it fails, keep why."""
        began = time.monotonic()
        try:
            row = self.measured(path, reset, twins)
            print(f"  {path.name}: {row['rate']:.0f}/s, {len(row['rounds'])} rounds", end="", flush=True)
        except (RuntimeError, OSError, psycopg.Error, subprocess.SubprocessError) as fault:
            row = {"path": path.name, "failed": f"{type(fault).__name__}: {fault}"[:2000]}
            print(f"  {path.name}: {row['failed'][:300]}", end="", flush=True)
        print(f", {time.monotonic() - began:.0f} s", flush=True)
        self.plan.keep(row)

    def measured(self, path: Path, reset: Callable[[], None], twins: dict[str, Callable[[], float]]) -> dict:
        """One path beside its rivals, and everything else that is known about it."""
        ends = time.monotonic() + self.plan.limit
        reset()
        seconds = self.page_seconds if path.is_page else self.seconds
        warm = load.run(self.ground.portal.port, path.requests(), min(seconds, 3))
        reset()
        statements, size = self._counted(path)
        found: list[dict] = []
        for number in range(self.plan.rounds):
            if number and time.monotonic() > ends:
                break
            beside, cost = self._rival(path.beside, seconds, reset)
            reset()
            requests = _prepared(path)
            with load.watched(self.ground.portal.workers, self.ground.postmaster) as spent:
                answers = load.run(self.ground.portal.port, requests, seconds)
            self._require(path, answers)
            number = sum(answers.statuses.values())
            if not number:
                raise RuntimeError("nothing was answered")
            ratios = {"ratio": answers.rate / beside, "cpu_ratio": cost / (spent.portal / number)}
            for name, twin in twins.items():
                reset()
                ratios[f"of {name}"] = answers.rate / twin()
            found.append(
                ratios
                | {
                    "rate": answers.rate,
                    "beside": beside,
                    "python_ms": 1000 * spent.python / number,
                    "postgres_ms": 1000 * spent.postgres / number,
                    "p50_ms": answers.percentile(0.5),
                    "p99_ms": answers.percentile(0.99),
                    "others": spent.share_of_others,
                }
            )
        goals: dict[str, Any] = {"statements": path.most_statements}
        if path.goal is not None:
            goals |= {"ratio": path.goal.ratio, "stretch": path.goal.stretch}
        many = self._with_many_connections(path, seconds) if path.is_page else {}
        if many:
            goals["p99_many_ms"] = round(2 * 1000 * load.MANY_CONNECTIONS / many["rate_many"])
        reset()
        del warm
        middle = {name: round(statistics.median(each[name] for each in found), 3) for name in found[0]}
        return {
            "path": path.name,
            "statements": len(statements),
            "bytes": size,
            "rival": path.beside,
            **middle,
            **many,
            "goals": goals | {f"of {name}": asdict(paths.OF_TWINS[name]) for name in twins if name in paths.OF_TWINS},
            "rounds": found,
            "sql": statements,
        }

    def tried_beside_work(
        self, name: str, requests: Requests, reset: Callable[[], None], work: background.Work
    ) -> None:
        """Measure a write with and without background work; if it fails, keep why."""
        rounds = self.plan.rounds
        try:
            row = background.measured(self.ground, requests, reset, work, seconds=self.seconds, rounds=rounds)
            print(f"  {name}: {row['ratio']:.2f} of {row['rate_alone']:.0f}/s", flush=True)
        except (RuntimeError, OSError, psycopg.Error, subprocess.SubprocessError) as fault:
            row = {"failed": f"{type(fault).__name__}: {fault}"[:2000]}
            print(f"  {name}: {row['failed'][:300]}", flush=True)
        self.plan.keep({"path": name, **row})

    def _with_many_connections(self, path: Path, seconds: float) -> dict[str, float]:
        """One more round over so many connections that requests wait for each other, as in a rush."""
        answers = load.run(self.ground.portal.port, _prepared(path), seconds, load.MANY_CONNECTIONS)
        self._require(path, answers)
        return {"rate_many": round(answers.rate, 3), "p99_many_ms": round(answers.percentile(0.99), 3)}

    def _counted(self, path: Path) -> tuple[list[str], int]:
        """The statements of one request of a warm process, and the bytes of its answer."""
        request = next(path.requests(), None)  # what a path prepares is not counted
        if request is None:
            raise RuntimeError("there is nobody who could send this")
        with self.ground.statements() as statements:
            status, answer = load.send(self.ground.portal.port, request)
        # a form that is refused, for its token or its version, leads back to its own page with the same status
        own = request.raw.split(b" ", 2)[1]
        refused = re.search(
            rb"^Location: %s\r$" % re.escape(own), answer.partition(b"\r\n\r\n")[0] + b"\r\n", re.M | re.I
        )
        if status != path.status or refused:
            raise RuntimeError(f"{path.name}: {status} instead of {path.status}: {answer[:1500]!r}")
        return statements, len(answer)

    def _require(self, path: Path, answers: load.Answers) -> None:
        if set(answers.statuses) != {path.status}:
            raise RuntimeError(f"{path.name}: {dict(answers.statuses)} instead of {path.status} alone")

    def _rival(self, name: str, seconds: float, reset: Callable[[], None]) -> tuple[float, float]:
        """Its rate, and the processor time of one act in seconds: for raw pgbench, of pgbench and PostgreSQL."""
        if name == "own rows":
            reset()
            with load.watched(list, self.ground.postmaster) as spent:
                rate, number = rivals.own_rows(self.ground, len(self.drafts), seconds)
            return rate, (spent.postgres + spent.client) / number
        assert self.hello is not None
        with load.watched(self.hello.workers, self.ground.postmaster) as spent:
            answers = load.run(self.hello.port, paths.public_pages("/"), seconds)
        return answers.rate, spent.python / sum(answers.statuses.values())


def _prepared(path: Path) -> Iterator[load.Request]:
    """The requests of a round.  What a path prepares for its first one is done before the round begins."""
    requests = path.requests()
    return itertools.chain(list(itertools.islice(requests, 1)), requests)


def registration(plan: Plan) -> None:
    """The paths while registration is open."""
    ground = Ground(plan.children)
    try:
        bench = Bench(ground, plan)
        everybody = people.signed_in(ground)
        readers, drafts = everybody[: len(everybody) // 8], everybody[len(everybody) // 8 :]
        bench.drafts = drafts
        rivals.remember_drafts(ground, drafts)
        people.remember_handed_in(ground, drafts)
        bench.hello = ground.serve("bench.twins.hello:app")
        put_back = {
            people.DRAFT: people.as_drafts,
            people.HANDED_IN: people.as_handed_in,
            people.RETURNED: people.as_returned,
        }
        for path in paths.of_registration(ground, drafts, readers):
            if plan.wanted(path.name) or (path.is_page and plan.wanted(PAGES)):
                twins = _twins(ground, drafts, plan.seconds) if path.name == "submit" else {}
                reset = functools.partial(put_back[path.start], ground, drafts) if path.start in put_back else _nothing
                bench.tried(path, reset, twins)
        if plan.wanted(background.SUBMISSIONS) or plan.wanted(BACKGROUND):
            people.as_handed_in(ground, drafts)  # half of them stay so: the estimate draws who has handed in
            half = drafts[::2]
            bench.tried_beside_work(
                background.SUBMISSIONS,
                lambda: paths.submissions(half),
                lambda: people.as_drafts(ground, half),
                background.estimates,
            )
    finally:
        ground.stop()


def _nothing() -> None:
    """What a path that only reads needs before a round."""


def _twins(ground: Ground, drafts: list[Family], seconds: float) -> dict[str, Callable[[], float]]:
    """How many submissions a second each twin takes, with the drafts that `reset` made."""
    django, core = rivals.django(ground), ground.serve("bench.twins.core_submit:app")
    of_django = rivals.django_submissions(django, drafts)

    def rate(server: Server, requests: Callable[[], list[load.Request]]) -> float:
        answers = load.run(server.port, requests(), seconds)
        if {status for status in answers.statuses} - {302, 303}:
            raise RuntimeError(f"a twin answers {dict(answers.statuses)}: see {server.log}")
        return answers.rate

    twins = {"django": lambda: rate(django, lambda: of_django)}
    twins["core"] = lambda: rate(core, lambda: list(paths.submissions(drafts, is_masked=False)))
    for twin in twins.values():  # a process is two or three times as dear in its first requests
        people.as_drafts(ground, drafts)
        twin()
    return twins


def results(plan: Plan) -> None:
    """The paths of a second city, whose result is published."""
    wanted = ("result page", "result page later", "confirm", PAGES, BACKGROUND, background.CONFIRMATIONS)
    if not any(plan.wanted(path) for path in wanted):
        return
    ground = Ground(plan.children, "results")
    try:
        bench = Bench(ground, plan)
        families = people.signed_in(
            ground, "unit IS NULL AND id IN (SELECT application_id FROM offer WHERE state = 'offered')"
        )
        bench.drafts = families
        rivals.remember_drafts(ground, families)
        bench.hello = ground.serve("bench.twins.hello:app")
        offers = people.remember_offers(ground)
        for path in paths.of_results(ground, families):
            if plan.wanted(path.name) or (path.is_page and plan.wanted(PAGES)):
                bench.tried(path, offers if path.start == people.OFFERED else _nothing, {})
        if plan.wanted(background.CONFIRMATIONS) or plan.wanted(BACKGROUND):
            bench.tried_beside_work(
                background.CONFIRMATIONS, lambda: paths.confirmations(ground, families), offers, background.notices
            )
    finally:
        ground.stop()


HEAD = (
    "path",
    "statements (goal)",
    "python ms",
    "postgres ms",
    "bytes",
    "per s",
    "p99 ms",
    f"p99 ms over {load.MANY_CONNECTIONS} (goal)",
    "ratio (goal, stretch)",
    "ratio in processor time",
    "of",
    "others",
)


def table(rows: list[dict]) -> str:
    """The measured paths, each figure beside its goal; below them the writes beside background work."""
    beside = [row for row in rows if "rate_alone" in row]
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for row in rows:
        if "failed" in row:
            lines.append(f"| {row['path']} | failed: {row['failed'].splitlines()[0][:120]} |" + " |" * (len(HEAD) - 2))
        elif row not in beside:
            lines += _lines_of(row)
    return "\n".join(lines) + ("\n\n" + background.table(beside) if beside else "")


def _lines_of(row: dict) -> Iterator[str]:
    goals = row["goals"]
    many = f"{row['p99_many_ms']:.0f} (≤ {goals['p99_many_ms']})" if "p99_many_ms" in row else ""
    ratio = f"{row['ratio']:.1%}" + (f" ({_goal(goals, '{:.1%}')})" if "ratio" in goals else "")
    yield (
        f"| {row['path']} | {row['statements']} (≤ {goals['statements']}) | {row['python_ms']:.1f} | {row['postgres_ms']:.1f}"
        f" | {row['bytes']} | {row['rate']:.0f} | {row['p99_ms']:.0f} | {many} | {ratio} | {row['cpu_ratio']:.1%}"
        f" | {row['rival']} ({row['beside']:.0f}/s) | {row['others']:.0%} |"
    )
    for twin in TWINS:
        if f"of {twin}" in row:
            goal = f" ({_goal(goals[f'of {twin}'], '{:g} ×')})" if f"of {twin}" in goals else ""
            figure = f"{row[f'of {twin}']:.2f} ×{goal}"
            yield f"| {row['path']} beside the {twin} twin | | | | | | | | {figure} | | | |"


def _goal(goal: dict, form: str) -> str:
    stretch = f", {form.format(goal['stretch'])}" if goal["stretch"] is not None else ""
    return f"≥ {form.format(goal['ratio'])}{stretch}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.web", description=__doc__)
    parser.add_argument("--children", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60, help="no new round of a path after so many seconds")
    parser.add_argument("--only", default="", help="names of paths, with commas between them, or with semicolons")
    parser.add_argument("--json", type=File)
    asked = parser.parse_args()
    only = {name.strip() for name in asked.only.split(";" if ";" in asked.only else ",") if name.strip()}
    wanted = (lambda name: name in only) if only else (lambda name: True)
    rows: list[dict] = []
    machine = Machine()

    def description() -> dict[str, Any]:
        """Of the rounds: what the portal takes between them is not known."""
        return machine.description(statistics.median([row["others"] for row in rows if "others" in row] or [0.0]))

    def keep(row: dict) -> None:
        rows.append(row)
        if asked.json:
            asked.json.parent.mkdir(parents=True, exist_ok=True)
            asked.json.write_text(json.dumps({**description(), "rows": rows}, indent=1))

    plan = Plan(asked.children, asked.seconds, asked.rounds, asked.limit, wanted, keep)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        registration(plan)
        results(plan)
    finally:
        rounds = f"{asked.rounds} rounds of {asked.seconds:g} s, {load.CONNECTIONS} connections"
        print(f"\n{machine_line(description())}; {rounds}\n\n{table(rows)}", flush=True)
    sys.exit(1 if any("failed" in row for row in rows) else 0)


if __name__ == "__main__":
    main()
