"""One run in steps: read the market in a transaction, place everybody outside any, complete and save the result in another one.

Before anything is saved, code that shares nothing with the solver checks the outcome.  A run whose outcome fails a check
gets the state `failed`: its row stays, and nobody can publish it.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

import allocation
from allocation import checks, compilation, files, lottery
from allocation.arrays import Array
from allocation.faults import MarketFault
from allocation.files import bundle
from allocation.files import summary as summaries
from allocation.files.reader import ParsedMarket, parse_files
from allocation.market import Market
from allocation.outcome import Outcome
from allocation.solve import solve
from allocation.warmup import compile_all
from enrollment.draw import fairness, market_files, result_rows, run_files, run_input
from enrollment.draw.comparison import dry_runs, last_year
from enrollment.draw.draw_jobs import Progress, no_progress
from enrollment.draw.run_files import RunFiles
from enrollment.draw.run_input import RunInput
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground import audit, bulk_copy
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.places import programmes
from enrollment.season.rounds import Round

STEPS = ("reading", "placing", "checking", "dry_runs", "saving")
BY_FIRST_WISH = ("by_area", "by_tier")
"""Figures of a replay that its public file cannot give, because it holds no list of a family that confirmed for good."""


@dataclass(frozen=True)
class Found:
    """The outcome of the engine for a market, its result files with their digest, and its figures."""

    parsed: ParsedMarket
    outcome: Outcome
    result: Mapping[str, bytes]
    digest: str
    summary: dict[str, Any]


@dataclass(frozen=True)
class Placed:
    """What became of a task; `failures` is what is wrong with the market, or what the independent check found."""

    task: RunInput
    found: Found | None
    failures: tuple[str, ...]


@dataclass(frozen=True)
class RunOutput:
    """Everything that is saved beside the rows of the result, which `complete` has copied.  `bundle` is the full file in parts.

    `programmes` are the ids of the market's programmes by their codes, `applications` those of its children (S36[n]: as text).
    """

    placed: Placed
    bundle: Sequence[bytes] = ()
    given_out: RunFiles | None = None
    dry_runs: dict[str, Any] | None = None
    last_rules: dict[str, Any] | None = None
    programmes: Mapping[str, uuid.UUID] = field(default_factory=dict)
    applications: Array = field(default_factory=lambda: np.zeros(0, dtype="S36"))


def place(task: RunInput, progress: Progress = no_progress) -> Placed:
    """Place everybody and check the outcome.  Needs no transaction; the same input gives the same bytes."""
    progress(0, len(STEPS), "reading")
    try:
        parsed = parse_files(task.files)
        progress(1, len(STEPS), "placing")
        outcome = solve(parsed.market)
    except MarketFault as fault:
        return Placed(task, None, tuple(map(str, fault.faults[:20])))
    progress(2, len(STEPS), "checking")
    report = checks.check(parsed.market, outcome, solve=solve)
    found = _found(task, parsed, outcome, report)
    return Placed(task, found, tuple(report.failures) + _worse_off(parsed.market, outcome))


def _found(task: RunInput, parsed: ParsedMarket, outcome: Outcome, report: checks.Report) -> Found:
    result = files.result_files(outcome)
    inputs, outputs = summaries.digests(task.files), summaries.digests(result)
    summary = summaries.summary(outcome, report, inputs=inputs, outputs=outputs)
    summary |= fairness.figures(parsed.market, outcome, task.first_wishes)
    return Found(parsed, outcome, result, _digest_of(result), summary)


def complete(session: Session, placed: Placed, progress: Progress = no_progress) -> RunOutput:
    """Compare the outcome, write its files, and meanwhile copy its rows into the database: PostgreSQL checks a million references
    while this process draws and counts.  The caller saves the output in the same transaction.  Refuses `run_is_over`."""
    run, found = _locked(session, placed.task.run_id), placed.found
    if placed.failures or found is None:
        return RunOutput(placed)
    market, ids = found.parsed.market, _programme_ids(session, run)
    without = _without_change(market) if run.replays is not None else np.empty(0, dtype=np.int64)
    applications = result_rows.applications_of(session, market)
    with ThreadPoolExecutor(1, thread_name_prefix="rows of a run") as beside:
        copied = beside.submit(result_rows.copy_result, session, run.id, found.outcome, applications, ids, without)
        output = _compared_and_written(placed, found, without, progress)
        copied.result()
    return replace(output, programmes=ids, applications=applications)


def _compared_and_written(placed: Placed, found: Found, without: Array, progress: Progress) -> RunOutput:
    """What needs no database: dry runs, last year's rules and the files.  Children `without` (their numbers) get no opening."""
    task, market, outcome, summary = placed.task, found.parsed.market, found.outcome, found.summary
    tried = dry_runs.of_market(market, task.grounds, task.first_wishes, lambda: progress(3, len(STEPS), "dry_runs"))
    last = None if task.last_year is None else last_year.compare(market, outcome, task.last_year, task.grounds)
    progress(4, len(STEPS), "saving")
    given_out = None
    if task.settings is not None and isinstance(task.draw, bundle.DrawRecord2):
        given_out = run_files.make(task.files, found.parsed, task.draw, task.settings, outcome, without)
    known = summary if task.first_wishes is None else {k: v for k, v in summary.items() if k not in BY_FIRST_WISH}
    told = json.dumps(known, sort_keys=True, ensure_ascii=False, indent=1).encode()
    settings = given_out.settings if given_out else None
    packed = bundle.pack_parts(task.files, task.draw, {**found.result, "summary.json": told}, settings)
    return RunOutput(placed, packed, given_out=given_out, dry_runs=tried, last_rules=last)


def _digest_of(result: Mapping[str, bytes]) -> str:
    """SHA-256 over the result files, one after the other by their names."""
    digest = hashlib.sha256()
    for name in sorted(result):
        digest.update(result[name])
    return digest.hexdigest()


def _worse_off(market: Market, found: Outcome) -> tuple[str, ...]:
    """Who held a place must have a place that is the same or a better wish.  Returns the children for whom this is not so."""
    if market.current is None:
        return ()
    lines = []
    for child in np.flatnonzero(market.current >= 0).tolist():
        wishes = market.programme[market.offsets[child] : market.offsets[child + 1]].tolist()
        held = wishes.index(market.current[child]) + 1
        if not 0 < found.rank[child] <= held:
            lines.append(f"nobody_worse_off: child {child}")
    return tuple(lines[:20])


def _locked(session: Session, run_id: uuid.UUID) -> Run:
    """The row of a run that is under way, locked.  Refuses `run_is_over`."""
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    if run.state != RunState.RUNNING:
        raise Refused("run_is_over", state=run.state)
    return run


def save(session: Session, run_id: uuid.UUID, output: RunOutput, *, now: dt.datetime) -> Run:
    """Save what `complete` returned.  The caller commits only while it still holds the job."""
    run, placed, found = _locked(session, run_id), output.placed, output.placed.found
    run.finished_at, run.engine = now, f"allocation {allocation.VERSION}"
    if placed.failures or found is None:
        run.state, run.error = RunState.FAILED, "\n".join(placed.failures)[:4000]
    else:
        market = found.parsed.market
        _save_cutoffs(session, run, output, found.result["cutoffs.csv"])
        if output.given_out is not None:
            run_files.save_openings(session, run.id, output.given_out, output.applications)
        run_files.save_files(session, run.id, output.bundle, output.given_out.public if output.given_out else None)
        grounds = {} if run.replays else fairness.by_ground(session, run.id)  # a replay changes only few children
        overhang = _overhang(found.outcome, output.programmes)
        run.summary = found.summary | {"stands_over": overhang, "by_ground": grounds}
        if output.dry_runs is not None:
            run.summary |= {"dry_runs": dry_runs.told(output.dry_runs, grounds)}
        if output.last_rules is not None:
            run.summary |= {"last_rules": output.last_rules}
        if run.replays and market.current is not None:
            run.summary |= {"replay": _replay_counts(found.outcome, market.current)}
        run.digest, run.state = found.digest, RunState.CHECKED
    audit.record(session, "run", "run", run_id, by=SYSTEM, now=now, state=run.state, digest=run.digest)
    session.flush()
    return run


def _replay_counts(found: Outcome, held: np.ndarray) -> dict[str, int]:
    """What a replay changes: how many children without a place get one, and how many move to a better wish."""
    changed = (found.programme >= 0) & (found.programme != held)
    return {"gained": int(np.sum(changed & (held < 0))), "moved": int(np.sum(changed & (held >= 0)))}


def _programme_ids(session: Session, run: Run) -> dict[str, uuid.UUID]:
    year = session.get_one(Round, run.round_id).year
    return {code: programme.id for code, programme in programmes.by_code(session, year).items()}


def _overhang(found: Outcome, ids: Mapping[str, uuid.UUID]) -> dict[str, int]:
    codes = fairness.texts(found.market.codes.programmes)
    return {str(ids[codes[p]]): int(found.overhang[p]) for p in np.flatnonzero(found.overhang).tolist()}


def _save_cutoffs(session: Session, run: Run, output: RunOutput, content: bytes) -> None:
    """Copy the file of the cut-offs into the database; SQL replaces the codes by programmes."""
    codes = output.programmes.items()
    bulk_copy.copy_to_temporary_table(session, "code_of_programme", {"code": "text", "id": "uuid"}, codes)
    run_files.copy_blocks(session, output.given_out.blocks if output.given_out else ())
    bulk_copy.copy_csv_to_temporary_table(session, "cutoffs_of_run", _CUTOFF_COLUMNS, content)
    session.execute(_CUTOFFS, {"run": run.id, "has_blocks": output.given_out is not None})


_CUTOFF_COLUMNS = {
    "programme": "text", "pool": "text", "places": "int", "filled": "int", "state": "text", "eligible": "int", "tier": "int",
    "ticket": "int",
}  # fmt: skip
_CUTOFFS = text("""
    INSERT INTO cut_off
        (run_id, programme_id, pool, places, filled, state, eligible, tier, ticket, block, line_public)
    SELECT :run, code_of_programme.id, line.pool, line.places, line.filled, line.state, line.eligible, line.tier, line.ticket,
           coalesce(its.code, CASE WHEN :has_blocks THEN '' END), coalesce(its.shown, CASE WHEN :has_blocks THEN true END)
    FROM cutoffs_of_run AS line JOIN code_of_programme ON code_of_programme.code = line.programme
    LEFT JOIN block_of_run AS its ON its.programme = line.programme AND its.pool = line.pool
""")


def _without_change(market: Market) -> np.ndarray:
    """The numbers of the children of a replay for whom nothing could change: their only wish is the place that they confirmed."""
    if market.current is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero((market.current >= 0) & (np.diff(market.offsets) == 1))


def execute(session: Session, run_id: uuid.UUID, *, now: dt.datetime, progress: Progress = no_progress) -> Run:
    """All steps in one transaction, for commands and tests.  The worker reads and places before the transaction that saves."""
    placed = place(run_input.with_comparisons(session, run_input.read(session, run_id)), progress)
    return save(session, run_id, complete(session, placed, progress), now=now)


def warm() -> None:
    """Compile the engine, or load it from the cache, by running a small market through all steps."""
    programmes = [market_files.ProgrammeRow("p", "k", "lower", "public", "510104", 1, None)]
    children = [market_files.ChildRow(code, code, "", "", "", "") for code in ("a", "b")]
    wishes = [market_files.WishRow(row.child, 1, "p", 0) for row in children]
    numbers = lottery.draw(
        bytes(lottery.DIGEST_BYTES), [row.family for row in children], [row.child for row in children]
    )
    tickets = [market_files.TicketRow(row.child, n) for row, n in zip(children, numbers.tolist(), strict=True)]
    market = market_files.MarketFiles("2026", "main", "overhang", programmes, children, wishes, (), tickets)
    compile_all()
    placed = place(RunInput(uuid.UUID(int=0), market.files(), bundle.DrawRecord("0" * 64)))
    if placed.found is None:
        raise RuntimeError(f"the engine refuses a market of two children: {placed.failures}")
    _compared_and_written(placed, placed.found, np.empty(0, dtype=np.int64), no_progress)
    compilation.note_warm()
