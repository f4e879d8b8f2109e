"""The record of a run for a notary: what was published when, who witnessed and who signed, and the digests of its files."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from allocation.draw_form import DrawForm
from enrollment.draw import draw_rooms, replay, runs
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.publication import hours
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Run, RunState
from enrollment.draw.seed import declared_forms, part_standings
from enrollment.draw.seed.part_standings import PartStanding
from enrollment.ground import audit
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.errors import Refused
from enrollment.results import run_signing
from enrollment.results.run_signing import ReadDifference
from enrollment.season.round_rows import Round

RECORDED = (RunState.CHECKED, RunState.SIGNED, RunState.PUBLISHED, RunState.SUPERSEDED, RunState.SET_ASIDE)
"""States of a run that has a record: it was computed and checked."""


@dataclass(frozen=True)
class RunRecord:
    """`draw` gave the tickets; None for a round that had none.  `files` are the SHA-256 digests of the run's files by name.

    `signatures` are (name, time) and `notes` (name, what this signer wrote), `read` what they ticked
    before; none for a replay under the standing approval, whose signatures are in `approvals`.
    `replays` is the number of the run that a replay follows.
    """

    run: Run
    round: Round
    snapshot: Snapshot
    draw: Draw | None
    form: DrawForm | None
    parts: tuple[PartStanding, ...]
    signatures: tuple[tuple[str, dt.datetime], ...]
    notes: tuple[tuple[str, str], ...]
    read: tuple[ReadDifference, ...]
    approvals: tuple[tuple[str, dt.datetime], ...]
    publication: Publication | None
    announced: dt.datetime | None
    files: Mapping[str, str]
    replays: int | None


def of_run(session: Session, run_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> RunRecord:
    """The record, for officials and auditors.  It is noted who took one.  Refuses `run_has_no_record` before the check."""
    run = session.scalars(
        select(Run).where(Run.id == runs.one(session, run_id).id).options(undefer(Run.bundle), undefer(Run.public_file))
    ).one()
    if run.state not in RECORDED or run.digest is None:
        raise Refused("run_has_no_record", state=run.state)
    round_ = session.get_one(Round, run.round_id)
    draw = draw_rooms.draw_of(session, round_)
    seeded = draw if draw is not None and draw.seed is not None else None
    audit.record(session, "take_run_record", "run", run.id, by=by, now=now, digest=run.digest)
    return RunRecord(
        run=run,
        round=round_,
        snapshot=session.get_one(Snapshot, run.snapshot_id),
        draw=seeded,
        form=declared_forms.of_draw(seeded) if seeded and seeded.draw_form else None,
        parts=part_standings.of_draw(session, seeded, now=now) if seeded else (),
        signatures=tuple(runs.signers(session, run)),
        notes=tuple(runs.notes(session, run)),
        read=run_signing.read_differences(session, run),
        approvals=tuple(_approvals(session, run)),
        publication=hours.publication_of(session, run.id),
        announced=hours.hour_of(session, round_) if run.state in (RunState.CHECKED, RunState.SIGNED) else None,
        files={
            name: hashlib.sha256(content).hexdigest()
            for name, content in (("full", run.bundle), ("public", run.public_file))
            if content
        },
        replays=runs.one(session, run.replays).number if run.replays else None,
    )


def _approvals(session: Session, run: Run) -> list[tuple[str, dt.datetime]]:
    """Who signed the standing approval of daily replays before this one was decided."""
    publication = hours.publication_of(session, run.id)
    if run.replays is None or run.started_by is not None or publication is None:
        return []
    return [
        (session.get_one(Account, each.account_id).name, each.signed_at)
        for each in replay.approvals(session, run.round_id)
        if each.signed_at <= publication.signed_at
    ]
