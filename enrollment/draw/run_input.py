"""What a run reads: the frozen market with the tickets of its children, what was published about its seed, and what it is compared with."""

import json
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from allocation import lottery
from allocation.files import bundle
from allocation.files.publication import Settings
from enrollment.applications.application_rows import Application
from enrollment.draw import draws, fairness, market_files, run_files
from enrollment.draw.comparison import last_year
from enrollment.draw.comparison.last_year import LastYear
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.run_rows import Run, RunState, WishReason
from enrollment.draw.seed import declared_forms, part_standings
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round


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
