"""The first hour of a result: `make bench-hour`, or `python -m bench.web.hour [--children 300] [--seconds 20] [--json FILE]`.

250,000 families look within ten minutes, 417 a second.  A city whose result was opened a minute ago is served by the page processes
of `make serve` (production settings, no proxy).  Two things are measured, each for families with and without a place:

* what one look costs: statements, and the processor time of page processes and PostgreSQL while 16 connections ask as fast as
  they are answered.  From it follows how many looks a second the processors of this machine serve when nothing else runs on
  them; the client, which is not part of the portal, takes its own share here;
* looks at the wanted rate, open loop: a request is sent when it is due however the server is doing, and its time counts from
  then.

It fails if an answer is another page than the prepared one.
"""

import argparse
import json
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from bench.web import families as people
from bench.web import load, paths
from bench.web.families import Family
from bench.web.ground import Ground, now
from enrollment.ground.accounts import Account, actor_of
from enrollment.results import prepared_results

LOOKS, MINUTES = 250_000, 10
WANTED = LOOKS / (60 * MINUTES)
P99 = 500
COST = 1000 * (os.cpu_count() or 1) / WANTED
"""Milliseconds of processor time that a look may take for `WANTED` a second."""

OWN = "prepared_result"
"""A table that the statement of the prepared page reads, and no other one of a page."""


def looks(families: list[Family]) -> Iterator[load.Request]:
    return paths.pages(families, "/parents/applications/{id}/result")


def of_kinds(ground: Ground, families: list[Family]) -> dict[str, list[Family]]:
    """The families that get the prepared page, by what it says."""
    found: dict[str, list[Family]] = {"with a place": [], "without a place": []}
    with Session(ground.engine) as session:
        for family in families:
            by = actor_of(session.get_one(Account, family.account))
            result = prepared_results.look(session, family.application, by=by, now=now())
            if result is not None:
                found["with a place" if result.content["place"] else "without a place"].append(family)
    return {kind: of_kind for kind, of_kind in found.items() if of_kind}


def require_prepared(ground: Ground, families: list[Family]) -> list[str]:
    """The statements of one look.  Raises RuntimeError if its page is made from the rows of today."""
    with ground.statements() as statements:
        status, answer = load.send(ground.portal.port, next(looks(families)))
    if (
        status != 200
        or not any(OWN in each for each in statements)
        or any("wish_reason" in each for each in statements)
    ):
        raise RuntimeError(f"{status}, {[each[:90] for each in statements]}: {answer[:300]!r}")
    return statements


def cost(ground: Ground, families: list[Family], seconds: float) -> dict[str, float]:
    with load.watched(ground.portal.workers, ground.postmaster) as spent:
        answers = load.run(ground.portal.port, looks(families), seconds)
    number = answers.statuses[200]
    if set(answers.statuses) != {200}:
        raise RuntimeError(f"{dict(answers.statuses)} instead of 200 alone")
    return {
        "looks": number,
        "rate": answers.rate,
        "python_ms": 1000 * spent.python / number,
        "postgres_ms": 1000 * spent.postgres / number,
        "client_ms": 1000 * spent.client / number,
        "p99_ms": answers.percentile(0.99),
        "others": spent.share_of_others,
    }


def measured(ground: Ground, families: list[Family], seconds: float, rounds: int) -> dict:
    load.run(ground.portal.port, looks(families), 2)
    statements = require_prepared(ground, families)
    each = [cost(ground, families, seconds) for _round in range(rounds)]
    middle = {name: statistics.median(one[name] for one in each) for name in each[0]}
    of_a_look = middle["python_ms"] + middle["postgres_ms"]
    with load.watched(ground.portal.workers, ground.postmaster) as spent:
        paced = load.at_rate(ground.portal.port, looks(families), WANTED, seconds)
    return {
        "statements": len(statements),
        **middle,
        "of_a_look_ms": of_a_look,
        "possible": 1000 * (os.cpu_count() or 1) / of_a_look,
        "rounds": each,
        "at_rate": {
            "asked": WANTED,
            "answered": paced.statuses[200],
            "other_statuses": sum(paced.statuses.values()) - paced.statuses[200],
            "p50_ms": paced.percentile(0.5),
            "p99_ms": paced.percentile(0.99),
            "others": spent.share_of_others,
        },
    }


def told(kind: str, found: dict) -> str:
    paced = found["at_rate"]
    lines = (
        (f"{kind}", "", ""),
        ("  statements of a look", f"{found['statements']}", ""),
        ("  processor time of a look, ms", f"{found['of_a_look_ms']:.2f}", f"≤ {COST:.2f}"),
        ("    page processes", f"{found['python_ms']:.2f}", ""),
        ("    PostgreSQL", f"{found['postgres_ms']:.2f}", ""),
        ("  looks a second of the processors", f"{found['possible']:.0f}", f"≥ {WANTED:.0f}"),
        ("  measured beside the client", f"{found['rate']:.0f}", f"client {found['client_ms']:.2f} ms"),
        (f"  p99 at {WANTED:.0f} a second, ms", f"{paced['p99_ms']:.0f}", f"≤ {P99}"),
        ("    answered", f"{paced['answered']}", f"{paced['other_statuses']} otherwise"),
        ("  share of others", f"{found['others']:.0%}", f"{paced['others']:.0%} at the rate"),
    )
    return "\n".join(f"{name:38} {value:>8}   {goal}" for name, value, goal in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found: dict[str, dict] = {}
    ground = Ground(asked.children, "results")
    try:
        everybody = people.signed_in(ground, "unit IS NULL")
        next(paths.result_pages(ground, everybody, "1 minute"))
        for kind, families in of_kinds(ground, everybody).items():
            found[kind] = measured(ground, families, asked.seconds, asked.rounds)
            print(told(kind, found[kind]), flush=True)
    finally:
        ground.stop()
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps({"at": now().isoformat(), "cores": os.cpu_count(), **found}, indent=1))


if __name__ == "__main__":
    main()
