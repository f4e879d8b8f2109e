"""One run in three steps: read in a transaction, let the engine work outside any, save in another one.

An outcome is checked from the definitions, by code that shares nothing with the solver, before anything is saved.  A run
whose outcome fails a check is `failed`: it is kept, and nobody can publish it.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

import allocation
from allocation import bundle, checks, files, lottery, outcome, solve
from allocation import summary as summaries
from allocation.explain import REASONS
from allocation.faults import MarketFault
from allocation.market import Market
from allocation.outcome import STATES, Outcome
from enrollment.draw import bulk, fairness, market_files
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.gathering import programme_code
from enrollment.draw.run_rows import Run
from enrollment.families.applications import Application
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round

STEPS = ("reading", "placing", "checking", "saving")
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Task:
    """All that a run needs, as values.  `draw` is what was published of this market and its seed."""

    run_id: uuid.UUID
    files: Mapping[str, bytes]
    draw: bundle.DrawRecord


@dataclass(frozen=True)
class Computed:
    """What the engine gave and what the independent check says of it."""

    outcome: Outcome | None
    digest: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    bundle: bytes = b""
    failures: tuple[str, ...] = ()


def read(session: Session, run_id: uuid.UUID) -> Task:
    """Take the frozen market, with everybody's ticket, and mark the run as running.  Refuses `run_is_over`."""
    run = session.get_one(Run, run_id, with_for_update=True)
    if run.state not in ("waiting", "running"):
        raise Refused("run_is_over", state=run.state)
    run.state = "running"
    snapshot = session.get_one(Snapshot, run.snapshot_id)
    frozen = market_files.unpack(snapshot.market)
    draw = _draw_of(session, snapshot)
    session.flush()
    if draw is not None and "tickets.csv" not in frozen:
        head = {**json.loads(frozen["market.json"]), "seed": draw.seed}
        return Task(run_id, {**frozen, "market.json": lottery.canonical(head)}, _record(draw))
    solved = _with_all_tickets(session, frozen)
    made_at = snapshot.made_at.isoformat()
    return Task(run_id, solved, bundle.DrawRecord(lottery.commitment(solved), commitment_time=made_at))


def _record(draw: Draw) -> bundle.DrawRecord:
    return bundle.DrawRecord(
        commitment=draw.commitment,
        commitment_time=draw.committed_at.isoformat(),
        beacon=draw.beacon or "",
        beacon_name=draw.beacon_name,
        ceremony=draw.ceremony or "",
        seed=draw.seed,
    )


def _draw_of(session: Session, snapshot: Snapshot) -> Draw | None:
    """The draw that this very market gave, if it gave one."""
    return session.scalars(select(Draw).where(Draw.snapshot_id == snapshot.id, Draw.seed.is_not(None))).one_or_none()


def _with_all_tickets(session: Session, frozen: dict[str, bytes]) -> dict[str, bytes]:
    """A later market carries the season's tickets; those who joined have theirs from a draw of their own."""
    market = market_files.read(frozen)
    here = {row.child for row in market.children}
    numbers = session.execute(
        select(Application.child_code, Ticket.number).join(
            Ticket, (Ticket.child_id == Application.child_id) & (Ticket.year == Application.year)
        )
    )
    tickets = [market_files.TicketRow(code, number) for code, number in numbers if code in here]
    if len(tickets) < len(here):
        raise Refused("tickets_missing", n=len(here) - len(tickets))
    return market.with_tickets(tickets).files()


def compute(task: Task, progress: Progress | None = None) -> Computed:
    """Let the engine place everybody and check what it gave.  Holds no transaction; the same task gives the same bytes."""
    tell = progress or (lambda done, of, step: None)
    tell(0, len(STEPS), "reading")
    try:
        market = files.parse_market(task.files)
        tell(1, len(STEPS), "placing")
        found = solve.solve(market)
    except MarketFault as fault:
        return Computed(outcome=None, failures=tuple(map(str, fault.faults[:20])))
    tell(2, len(STEPS), "checking")
    report = checks.check(market, found, solve=solve.solve)
    failures = tuple(report.failures) + _worse_off(market, found)
    result = files.result_files(found)
    digest = hashlib.sha256(b"".join(result[name] for name in sorted(result))).hexdigest()
    summary = summaries.summary(found, report, inputs=task.files, outputs=result) | fairness.figures(market, found)
    tell(3, len(STEPS), "saving")
    told = json.dumps(summary, sort_keys=True, ensure_ascii=False, indent=1).encode()
    packed = b"" if failures else bundle.pack(task.files, task.draw, {**result, "summary.json": told})
    return Computed(found, digest, summary, packed, failures)


def _worse_off(market: Market, found: Outcome) -> tuple[str, ...]:
    """Nobody who held a place may end with none, or with one that stands lower on the family's list."""
    if market.current is None:
        return ()
    lines = []
    for child in np.flatnonzero(market.current >= 0).tolist():
        wishes = market.programme[market.offsets[child] : market.offsets[child + 1]].tolist()
        held = wishes.index(market.current[child]) + 1
        if not 0 < found.rank[child] <= held:
            lines.append(f"nobody_worse_off: child {child}")
    return tuple(lines[:20])


def save(session: Session, run_id: uuid.UUID, computed: Computed, *, now: dt.datetime) -> Run:
    """Keep what the engine gave.  The caller commits only while it still holds the job."""
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    if run.state != "running":
        raise Refused("run_is_over", state=run.state)
    run.finished_at, run.engine = now, f"allocation {allocation.VERSION}"
    if computed.failures or computed.outcome is None:
        run.state, run.error = "failed", "\n".join(computed.failures)[:4000]
    else:
        ids = _programme_ids(session, run)
        overhang = _overhang(computed.outcome, ids)
        _keep_rows(session, run, computed.outcome, ids)
        grounds = fairness.by_ground(session, run.id)
        run.summary = computed.summary | {"stands_over": overhang, "by_ground": grounds}
        run.digest, run.bundle, run.state = computed.digest, computed.bundle, "checked"
    audit.record(session, "run", "run", run_id, by=SYSTEM, now=now, state=run.state, digest=run.digest)
    session.flush()
    return run


def _programme_ids(session: Session, run: Run) -> dict[str, uuid.UUID]:
    year = select(Programme).where(Programme.year == _year_of(session, run))
    return {programme_code(programme): programme.id for programme in session.scalars(year)}


def _year_of(session: Session, run: Run) -> int:
    return session.get_one(Round, run.round_id).year


def _overhang(found: Outcome, ids: Mapping[str, uuid.UUID]) -> dict[str, int]:
    codes = _texts(found.market.codes.programmes)
    return {str(ids[codes[p]]): int(found.overhang[p]) for p in np.flatnonzero(found.overhang).tolist()}


def _texts(codes: Iterable) -> list[str]:
    return codes.to_pylist() if hasattr(codes, "to_pylist") else [str(code) for code in codes]


def _keep_rows(session: Session, run: Run, found: Outcome, ids: Mapping[str, uuid.UUID]) -> None:
    market = found.market
    programmes = [ids[code] for code in _texts(market.codes.programmes)]
    by_code = dict(session.execute(select(Application.child_code, Application.id)).all())
    applications = [by_code[code] for code in _texts(market.codes.children)]
    pools = [market.pools.name(q) for q in range(market.pools.count)]
    kept = _told(market) if run.replays is not None else range(market.children)
    placements = ("run_id", "application_id", "programme_id", "rank", "pool")
    bulk.copy_in(session, "placement", placements, _placements(run.id, found, kept, applications, programmes, pools))
    reasons = (
        "run_id", "application_id", "rank", "programme_id", "pool", "reason", "tier", "ticket", "cutoff_tier",
        "cutoff_ticket",
    )  # fmt: skip
    bulk.copy_in(session, "wish_reason", reasons, _reasons(run.id, found, kept, applications, programmes, pools))
    cut_offs = ("run_id", "programme_id", "pool", "places", "filled", "state", "eligible", "tier", "ticket")
    bulk.copy_in(session, "cut_off", cut_offs, _cut_offs(run.id, found, programmes, pools))


def _told(market: Market) -> list[int]:
    """In a replay: those for whom something could change.  Who confirmed for good takes part with its place alone."""
    current = market.current if market.current is not None else np.full(market.children, -1)
    return np.flatnonzero((current < 0) | (np.diff(market.offsets) > 1)).tolist()


def _placements(run_id, found: Outcome, kept, applications, programmes, pools) -> Iterator[tuple]:
    programme, rank, pool = found.programme.tolist(), found.rank.tolist(), found.pool.tolist()
    for child in kept:
        if programme[child] < 0:
            yield run_id, applications[child], None, None, None
        else:
            yield run_id, applications[child], programmes[programme[child]], rank[child], pools[pool[child]]


def _reasons(run_id, found: Outcome, kept, applications, programmes, pools) -> Iterator[tuple]:
    market, why = found.market, found.reasons
    offsets, programme, ticket = market.offsets.tolist(), market.programme.tolist(), why.ticket.tolist()
    code, pool, tier = why.code.tolist(), why.pool.tolist(), why.tier.tolist()
    line_tier, line_ticket = why.cutoff_tier.tolist(), why.cutoff_ticket.tolist()
    for child in kept:
        for wish in range(offsets[child], offsets[child + 1]):
            yield (
                run_id, applications[child], wish - offsets[child] + 1, programmes[programme[wish]],
                pools[pool[wish]] if pool[wish] >= 0 else None, REASONS[code[wish]], tier[wish], ticket[child],
                line_tier[wish] if line_tier[wish] >= 0 else None,
                line_ticket[wish] if line_ticket[wish] >= 0 else None,
            )  # fmt: skip


def _cut_offs(run_id, found: Outcome, programmes, pools) -> Iterator[tuple]:
    table, lines = found.market.pools, found.cutoffs
    for q in range(table.count):
        line = lines.state[q] == outcome.LINE
        numbers = (int(lines.eligible[q]), int(lines.tier[q]), int(lines.ticket[q])) if line else (None, None, None)
        yield (
            run_id, programmes[int(table.programme[q])], pools[q], int(table.places[q]), int(lines.filled[q]),
            STATES[lines.state[q]], *numbers,
        )  # fmt: skip


def execute(session: Session, run_id: uuid.UUID, *, now: dt.datetime, progress: Progress | None = None) -> Run:
    """The three steps in one transaction, for commands and tests; the worker's handler takes one for each."""
    return save(session, run_id, compute(read(session, run_id), progress), now=now)
