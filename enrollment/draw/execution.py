"""One run in three steps: read the market in a transaction, compute outside any, save the result in another one.

Before anything is saved, code that shares nothing with the solver checks the outcome.  A run whose outcome fails a check
gets the state `failed`: its row stays, and nobody can publish it.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

import allocation
from allocation import checks, compilation, files, lottery
from allocation.faults import MarketFault
from allocation.files import bundle
from allocation.files import summary as summaries
from allocation.files.publication import Settings
from allocation.files.reader import parse_files
from allocation.market import Market
from allocation.outcome import Outcome
from allocation.solve import solve
from allocation.warmup import compile_all
from enrollment.applications.application_rows import Application
from enrollment.draw import draws, fairness, market_files, result_rows, run_files
from enrollment.draw.comparison import dry_runs, last_year
from enrollment.draw.comparison.last_year import LastYear
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.run_files import RunFiles
from enrollment.draw.run_rows import Run, RunState, WishReason
from enrollment.draw.seed import declared_forms, part_standings
from enrollment.ground import audit, bulk_copy
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.errors import Refused
from enrollment.places import programmes
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round

STEPS = ("reading", "placing", "checking", "dry_runs", "saving")
BY_FIRST_WISH = ("by_area", "by_tier")
"""Figures of a replay that its public file cannot give, because it holds no list of a family that confirmed for good."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class RunInput:
    """Everything that a run needs, as values.  `draw` is what was published about this market and its seed.

    `settings` says what is sensitive in it; None for a list that was frozen before there were public files.
    `first_wishes` has, for a replay, what stood first on each family's own list (`fairness.FirstWishes`).
    `grounds` are the codes of the children of each verified ground, whose figures the dry runs count; none for a replay.
    `last_year` are the rules of the year before; None for a replay, and where there were none.  `with_comparisons` reads both.
    """

    run_id: uuid.UUID
    files: Mapping[str, bytes]
    draw: bundle.AnyRecord
    settings: Settings | None = None
    first_wishes: fairness.FirstWishes | None = None
    grounds: Mapping[str, Collection[str]] = field(default_factory=dict)
    last_year: LastYear | None = None


@dataclass(frozen=True)
class RunOutput:
    """The outcome of the engine, the result files, and what the independent check found.  `bundle` is the full file in parts."""

    outcome: Outcome | None
    result: Mapping[str, bytes] = field(default_factory=dict)
    digest: str = ""
    summary: dict[str, Any] = field(default_factory=dict)
    bundle: Sequence[bytes] = ()
    failures: tuple[str, ...] = ()
    given_out: RunFiles | None = None
    dry_runs: dict[str, Any] | None = None
    last_rules: dict[str, Any] | None = None


def read(session: Session, run_id: uuid.UUID) -> RunInput:
    """Read the frozen market with the tickets of its children, and mark the run as running.  Refuses `run_is_over`."""
    run = session.get_one(Run, run_id, with_for_update=True)
    if run.state not in (RunState.WAITING, RunState.RUNNING):
        raise Refused("run_is_over", state=run.state)
    run.state = RunState.RUNNING
    snapshot = session.get_one(Snapshot, run.snapshot_id)
    frozen = market_files.unpack(snapshot.market)
    draw = _draw_of(session, snapshot)
    session.flush()
    if "salts.csv" in frozen:
        return _input_2(session, run, snapshot, frozen, draw)
    if draw is not None and draw.number == 1:  # the tickets of a later draw stand after those of the first
        return RunInput(run_id, _with_seed(frozen, draw.seed), _record(draw))
    solved = _with_all_tickets(session, snapshot.round_id, frozen)
    made_at = snapshot.made_at.isoformat()
    first = _first_wishes(session, snapshot.round_id) if run.replays else None
    return RunInput(
        run_id, solved, bundle.DrawRecord(lottery.commitment(solved), commitment_time=made_at), first_wishes=first
    )


def with_comparisons(session: Session, task: RunInput) -> RunInput:
    """The input with what the run is compared with beside the dry runs: the children of each ground, and last year's rules.

    It reads the families of the round once more, so it has a transaction of its own, without the lock of the run.
    A replay has neither, nor a list that was frozen before there were public files.
    """
    run = session.get_one(Run, task.run_id)
    if run.replays is not None or task.settings is None:
        return task
    round_ = session.get_one(Round, run.round_id)
    return replace(
        task, grounds=fairness.children_by_ground(session, round_.year), last_year=last_year.read(session, round_)
    )


def _first_wishes(session: Session, round_id: uuid.UUID) -> fairness.FirstWishes:
    """What stood first on each family's list in the run that gave the round's result, with the tier that applied."""
    found = (
        select(Application.child_code, Kindergarten.area_code, WishReason.tier)
        .join(WishReason, WishReason.application_id == Application.id)
        .join(Run, Run.id == WishReason.run_id)
        .join(Programme, Programme.id == WishReason.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Run.round_id == round_id, Run.replays.is_(None), Run.published_at.is_not(None), WishReason.rank == 1)
    )
    return {code: (area, tier) for code, area, tier in session.execute(found)}


def _input_2(session: Session, run: Run, snapshot: Snapshot, frozen: dict[str, bytes], draw: Draw | None) -> RunInput:
    """The input of a run from a `market/2`, whose files have the tickets that were given before.

    The numbers in the public file are those of the snapshots, so that a run that is repeated gives the same bytes.
    """
    replayed = session.get_one(Run, run.replays).snapshot_id if run.replays else None
    settings = run_files.settings_of(
        session,
        session.get_one(Round, run.round_id),
        frozen,
        run=snapshot.number,
        replays=session.get_one(Snapshot, replayed).number if replayed else None,
    )
    first = _first_wishes(session, snapshot.round_id) if run.replays else None
    if draw is None:
        record = bundle.DrawRecord2(snapshot.commitment, commitment_time=snapshot.made_at.isoformat())
        return RunInput(run.id, frozen, record, settings, first)
    return RunInput(run.id, _with_seed(frozen, draw.seed), _record_2(session, draw), settings, first)


def _with_seed(frozen: dict[str, bytes], seed: str | None) -> dict[str, bytes]:
    head = {**json.loads(frozen["market.json"]), "seed": seed}
    return {**frozen, "market.json": lottery.canonical(head)}


def _record_2(session: Session, draw: Draw) -> bundle.DrawRecord2:
    return bundle.DrawRecord2(
        commitment=draw.commitment,
        commitment_time=draw.committed_at.isoformat(),
        form=declared_forms.of_draw(draw),
        beacon=draw.beacon or "",
        ceremony=draw.ceremony or "",
        seed=draw.seed,
        witnesses=tuple(part_standings.witnesses_of(session, draw)),
        corrections=tuple(_corrections(session, draw)),
    )


def _record(draw: Draw) -> bundle.DrawRecord:
    return bundle.DrawRecord(
        commitment=draw.commitment,
        commitment_time=draw.committed_at.isoformat(),
        beacon=draw.beacon or "",
        beacon_name=draw.beacon_name,
        ceremony=draw.ceremony or "",
        seed=draw.seed,
    )


def _corrections(session: Session, draw: Draw) -> Iterator[dict[str, str]]:
    """The commitments that replaced an earlier one before the seed, with their public reasons."""
    round_id = session.get_one(Snapshot, draw.snapshot_id).round_id
    found = select(Snapshot).where(
        Snapshot.round_id == round_id, Snapshot.reason.is_not(None), Snapshot.made_at <= draw.committed_at
    )
    for each in session.scalars(found.order_by(Snapshot.number)):
        yield {"time": each.made_at.isoformat(), "reason": each.reason or "", "commitment": each.commitment}


def _draw_of(session: Session, snapshot: Snapshot) -> Draw | None:
    """The draw that was made for this market, if there was one."""
    return session.scalars(select(Draw).where(Draw.snapshot_id == snapshot.id, Draw.seed.is_not(None))).one_or_none()


def _with_all_tickets(session: Session, round_id: uuid.UUID, frozen: dict[str, bytes]) -> dict[str, bytes]:
    """Add the season's tickets to a later market.  Children who joined later have tickets from a later draw."""
    market = market_files.read(frozen)
    here = {row.child for row in market.children}
    numbers = draws.ticket_numbers(session, session.get_one(Round, round_id).year)
    tickets = [market_files.TicketRow(code, number) for code, number in numbers.items() if code in here]
    if len(tickets) < len(here):
        raise Refused("tickets_missing", n=len(here) - len(tickets))
    return market.with_tickets(tickets).files()


def compute(task: RunInput, progress: Progress | None = None) -> RunOutput:
    """Place everybody and check the outcome.  Needs no transaction; the same input gives the same bytes."""
    tell = progress or (lambda done, of, step: None)
    tell(0, len(STEPS), "reading")
    try:
        parsed = parse_files(task.files)
        market = parsed.market
        tell(1, len(STEPS), "placing")
        found = solve(market)
    except MarketFault as fault:
        return RunOutput(outcome=None, failures=tuple(map(str, fault.faults[:20])))
    tell(2, len(STEPS), "checking")
    report = checks.check(market, found, solve=solve)
    failures = tuple(report.failures) + _worse_off(market, found)
    result = files.result_files(found)
    digest = _digest_of(result)
    inputs, outputs = summaries.digests(task.files), summaries.digests(result)
    summary = summaries.summary(found, report, inputs=inputs, outputs=outputs) | fairness.figures(
        market, found, task.first_wishes
    )
    known = summary if task.first_wishes is None else {k: v for k, v in summary.items() if k not in BY_FIRST_WISH}
    told = json.dumps(known, sort_keys=True, ensure_ascii=False, indent=1).encode()
    if failures:
        return RunOutput(found, result, digest, summary, failures=failures)
    tried = dry_runs.of_market(market, task.grounds, task.first_wishes, lambda: tell(3, len(STEPS), "dry_runs"))
    last = None if task.last_year is None else last_year.compare(market, found, task.last_year, task.grounds)
    tell(4, len(STEPS), "saving")
    given_out = None
    if task.settings is not None and isinstance(task.draw, bundle.DrawRecord2):
        without = _without_change(market) if task.settings.replays is not None else np.empty(0, dtype=np.int64)
        given_out = run_files.make(task.files, parsed, task.draw, task.settings, found, without)
    settings = given_out.settings if given_out else None
    packed = bundle.pack_parts(task.files, task.draw, {**result, "summary.json": told}, settings)
    return RunOutput(found, result, digest, summary, packed, given_out=given_out, dry_runs=tried, last_rules=last)


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


def save(session: Session, run_id: uuid.UUID, output: RunOutput, *, now: dt.datetime) -> Run:
    """Save the output of the engine.  The caller commits only while it still holds the job."""
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    if run.state != RunState.RUNNING:
        raise Refused("run_is_over", state=run.state)
    run.finished_at, run.engine = now, f"allocation {allocation.VERSION}"
    if output.failures or output.outcome is None:
        run.state, run.error = RunState.FAILED, "\n".join(output.failures)[:4000]
    else:
        ids = _programme_ids(session, run)
        overhang = _overhang(output.outcome, ids)
        market = output.outcome.market
        applications = result_rows.applications_of(session, market)
        left_out = _without_change(market) if run.replays is not None else np.empty(0, dtype=np.int64)
        result_rows.copy_result(session, run.id, output.outcome, applications, ids, left_out)
        _save_cutoffs(session, run, output, ids)
        if output.given_out is not None:
            run_files.save_openings(session, run.id, output.given_out.openings, applications)
        run_files.save_files(session, run.id, output.bundle, output.given_out.public if output.given_out else None)
        grounds = {} if run.replays else fairness.by_ground(session, run.id)  # a replay changes only few children
        run.summary = output.summary | {"stands_over": overhang, "by_ground": grounds}
        if output.dry_runs is not None:
            run.summary |= {"dry_runs": dry_runs.told(output.dry_runs, grounds)}
        if output.last_rules is not None:
            run.summary |= {"last_rules": output.last_rules}
        if run.replays and output.outcome.market.current is not None:
            run.summary |= {"replay": _replay_counts(output.outcome, output.outcome.market.current)}
        run.digest, run.state = output.digest, RunState.CHECKED
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


def _save_cutoffs(session: Session, run: Run, output: RunOutput, ids: Mapping[str, uuid.UUID]) -> None:
    """Copy the file of the cut-offs into the database; SQL replaces the codes by programmes."""
    bulk_copy.copy_to_temporary_table(session, "code_of_programme", {"code": "text", "id": "uuid"}, ids.items())
    run_files.copy_blocks(session, output.given_out.blocks if output.given_out else ())
    bulk_copy.copy_csv_to_temporary_table(session, "cutoffs_of_run", _CUTOFF_COLUMNS, output.result["cutoffs.csv"])
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


def execute(session: Session, run_id: uuid.UUID, *, now: dt.datetime, progress: Progress | None = None) -> Run:
    """All steps in one transaction, for commands and tests.  The worker uses a transaction for each step."""
    return save(session, run_id, compute(with_comparisons(session, read(session, run_id)), progress), now=now)


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
    compute(RunInput(uuid.UUID(int=0), market.files(), bundle.DrawRecord("0" * 64)))
    compilation.note_warm()
