"""A central run: computed from the frozen list, checked by code that shares nothing with it, and saved.

It takes the same way as any run: read in full, signed by two people, and opened at an announced hour.
"""

import csv
import datetime as dt
import hashlib
import io
import json
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import allocation
from allocation import central
from allocation.checks.central import check_central
from allocation.market import NATURES
from enrollment.applications.applications import Application
from enrollment.draw import draw_jobs, market_files, runs
from enrollment.draw.central import central_market
from enrollment.draw.central.frozen_files import digest_of, table
from enrollment.draw.comparison import dry_runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Placement, Run, RunState
from enrollment.draw.unserved import choices
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import CentralProposal
from enrollment.season.round_rows import RoundKind
from enrollment.season.rounds import Round

STEPS = ("reading", "placing", "checking", "dry_runs", "saving")


@dataclass(frozen=True)
class Task:
    """Everything that a central run computes with, as values.  Children and programmes have the order of their arrays.

    `chosen` are the places that officials chose; their children and places are not in the arrays.
    """

    run_id: uuid.UUID
    children: tuple[str, ...]
    areas: tuple[str, ...]
    programmes: tuple[str, ...]
    ticket: np.ndarray
    unit: np.ndarray
    tolerance: np.ndarray
    vacancies: np.ndarray
    nature: np.ndarray
    ways: central.Ways
    chosen: tuple["Chosen", ...]


@dataclass(frozen=True)
class Chosen:
    """A place that an official chose for a child."""

    child: str
    programme: str
    metres: int | None
    nature: str
    area: str


@dataclass(frozen=True)
class Output:
    """`rows` are (child code, programme code, metres); `failures` what the independent check found."""

    rows: tuple[tuple[str, str, int | None], ...]
    digest: str
    summary: dict[str, Any]
    failures: tuple[str, ...]


def is_central(session: Session, run_id: uuid.UUID) -> bool:
    run = runs.one(session, run_id)
    return session.get_one(Round, run.round_id).kind == RoundKind.CENTRAL


def read(session: Session, run_id: uuid.UUID) -> Task:
    """What was frozen, with the distances as they are now, and the run marked as running.

    Refuses `run_is_over`, and `homes_changed` where the distances are no longer those that were frozen.
    """
    run = runs.one(session, run_id, lock=True)
    if run.state not in (RunState.WAITING, RunState.RUNNING):
        raise Refused("run_is_over", state=run.state)
    run.state = RunState.RUNNING
    round_ = session.get_one(Round, run.round_id)
    files = market_files.unpack(session.get_one(Snapshot, run.snapshot_id).market)
    children = list(csv.DictReader(io.StringIO(files["children.csv"].decode())))
    vacancies = list(csv.DictReader(io.StringIO(files["vacancies.csv"].decode())))
    known = {row.code: row for row in central_market.children_of(session, round_.year)}
    sites = {row.code: row for row in central_market.vacancies_of(session, round_.year)}
    codes = [row["child"] for row in children]
    stands = {(each.child, each.place): each for each in choices.standing(session, round_.year)}
    listed = csv.DictReader(io.StringIO(files.get("chosen.csv", b"").decode()))
    chosen = [stands.get((row["child"], row["programme"])) for row in listed]
    if not (known.keys() >= set(codes) and sites.keys() >= {row["programme"] for row in vacancies} and all(chosen)):
        raise Refused("homes_changed")
    ways = central_market.ways_between([known[code] for code in codes], [sites[row["programme"]] for row in vacancies])
    if digest_of(ways) != json.loads(files["market.json"])["ways"]:
        raise Refused("homes_changed")
    session.flush()
    return Task(
        run_id=run_id,
        children=tuple(codes),
        areas=tuple(row["area"] for row in children),
        programmes=tuple(row["programme"] for row in vacancies),
        ticket=np.array([int(row["ticket"]) for row in children], dtype=np.int64),
        unit=np.array([int(row["unit"]) for row in children], dtype=np.int64),
        tolerance=np.array([int(row["tolerance"]) for row in children], dtype=np.int64),
        vacancies=np.array([int(row["places"]) for row in vacancies], dtype=np.int64),
        nature=np.array([NATURES.index(row["nature"]) for row in vacancies], dtype=np.int64),
        ways=ways,
        chosen=tuple(
            Chosen(each.child, each.place, each.metres, each.nature, each.area) for each in chosen if each is not None
        ),
    )


def set_stale_aside(session: Session, run_id: uuid.UUID, refused: Refused, *, now: dt.datetime) -> Run:
    """Set a run aside whose children or vacancies changed before it was computed; it keeps the code of the reason."""
    run = runs.one(session, run_id, lock=True)
    if run.state in (RunState.WAITING, RunState.RUNNING):
        run.state, run.error = RunState.SET_ASIDE, refused.code
        audit.record(session, "set_aside", "run", run_id, by=SYSTEM, now=now, reason=refused.code)
        session.flush()
    return run


def compute(task: Task, progress: draw_jobs.Progress = draw_jobs.no_progress) -> Output:
    """Find the placement and check it.  Needs no transaction; the same input gives the same bytes."""
    progress(1, len(STEPS), "placing")
    ways = task.ways
    found = central.propose(task.ticket, ways, task.vacancies, task.nature, task.tolerance, unit=task.unit)
    progress(2, len(STEPS), "checking")
    cost = ways.metres.astype(np.int64) + task.tolerance[ways.child] * task.nature.astype(np.int64)[ways.programme]
    wrong = check_central(task.ticket, ways.child, ways.programme, cost, task.vacancies, task.unit, found.programme)
    tried = dry_runs.of_central(
        ways, task.vacancies, task.nature, task.tolerance, task.unit, task.areas,
        lambda: progress(3, len(STEPS), "dry_runs"),
    )  # fmt: skip
    progress(4, len(STEPS), "saving")
    computed: list[tuple[str, str, int | None]] = [
        (task.children[at], task.programmes[found.programme[at]], int(found.metres[at]))
        for at in np.flatnonzero(found.programme >= 0).tolist()
    ]
    rows = tuple(sorted([*computed, *((each.child, each.programme, each.metres) for each in task.chosen)]))
    content = table(("child", "programme", "metres"), rows)
    failures = tuple(f"{name}: {line}" for name, lines in wrong.items() for line in lines)
    return Output(
        rows, hashlib.sha256(content).hexdigest(), _summary(task, found, wrong) | {"dry_runs": tried}, failures
    )


def _summary(task: Task, found: central.Proposals, wrong: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    placed = np.concatenate((found.programme >= 0, np.ones(len(task.chosen), dtype=bool)))
    area = np.array([*task.areas, *(each.area for each in task.chosen)], dtype=object)
    metres = np.concatenate((found.metres, [-1 if each.metres is None else each.metres for each in task.chosen]))
    nature = np.concatenate(
        (
            task.nature[found.programme[found.programme >= 0]],
            np.array([NATURES.index(each.nature) for each in task.chosen], dtype=np.int64),
        )
    )
    return {
        "children": len(placed),
        "placed": int(placed.sum()),
        "unplaced": int((~placed).sum()),
        "chosen": len(task.chosen),
        "places": int(task.vacancies.sum()) + len(task.chosen),
        "by_rank": {},
        "by_nature": {name: int(np.count_nonzero(nature == at)) for at, name in enumerate(NATURES)},
        "by_home": {
            name: {"children": int((area == name).sum()), "placed": int((placed & (area == name)).sum())}
            for name in sorted(set(area.tolist()))
        },
        "metres": int(metres[metres >= 0].sum()),
        "farthest": int(metres.max(initial=0)),
        "checks": {name: "failed" if lines else "passed" for name, lines in wrong.items()},
    }


def save(session: Session, run_id: uuid.UUID, output: Output, *, now: dt.datetime) -> Run:
    """Save what was computed; the caller commits only while it still holds the job."""
    run = runs.one(session, run_id, lock=True)
    if run.state != RunState.RUNNING:
        raise Refused("run_is_over", state=run.state)
    run.finished_at, run.engine = now, f"allocation {allocation.VERSION}"
    if output.failures:
        run.state, run.error = RunState.FAILED, "\n".join(output.failures)[:4000]
    else:
        _save_rows(session, run, output, now)
        run.summary, run.digest, run.state = output.summary, output.digest, RunState.CHECKED
    audit.record(session, "run", "run", run_id, by=SYSTEM, now=now, state=run.state, digest=run.digest)
    session.flush()
    return run


def _save_rows(session: Session, run: Run, output: Output, now: dt.datetime) -> None:
    year = session.get_one(Round, run.round_id).year
    ids = dict(session.execute(select(Application.child_code, Application.id).where(Application.year == year)).all())
    programmes = {row.code: row.id for row in central_market.vacancies_of(session, year)}
    session.execute(delete(CentralProposal).where(CentralProposal.offer_id.is_(None)))
    for child, programme, metres in output.rows:
        where = {"application_id": ids[child], "programme_id": programmes[programme]}
        session.add(Placement(run_id=run.id, rank=None, pool=None, **where))
        session.add(CentralProposal(metres=metres, proposed_at=now, proposed_by=run.started_by, run_id=run.id, **where))


def newest_run(session: Session, year: int) -> Run | None:
    """The newest central run of the year."""
    found = select(Run).join(Round, Round.id == Run.round_id).where(Round.year == year, Round.kind == RoundKind.CENTRAL)
    return session.scalars(found.order_by(Round.number.desc(), Run.number.desc()).limit(1)).first()
