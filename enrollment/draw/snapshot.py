"""Freezing: the market of a round is written into files, and its commitment is published.  The engine reads nothing else.

The first frozen market of a year is used for the season's draw.  A correction before the seed replaces the published
commitment; the old snapshot stays, with the time of its replacement.  After the seed the tickets do not change, and every
later market contains them.
"""

import datetime as dt
import secrets
import uuid

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from allocation import compilation
from allocation.draw_form import DrawForm
from allocation.files import commitments
from allocation.lottery import DIGEST_BYTES
from enrollment.applications.applications import Application, Wish
from enrollment.draw import (
    draw_jobs,
    draws,
    duplicate_waivers,
    market_builder,
    market_files,
    participants,
    second_process,
)
from enrollment.draw.draw_jobs import Progress, lock_round
from enrollment.draw.draws import Draw, Snapshot, Ticket
from enrollment.draw.market_files import TicketRow, WrittenMarket, WrittenPart
from enrollment.draw.run_rows import Run, RunState
from enrollment.draw.seed import declared_forms
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import Refused
from enrollment.review.correction_rows import CorrectionRequest, CorrectionState
from enrollment.season import round_rows as rounds
from enrollment.season.calendar import require_city_official
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

LONGEST_REASON = 300

MAY_FREEZE = (RoundStage.CLOSED, RoundStage.FROZEN, RoundStage.DRAWN)

OF_A_CITY = 10_000
"""From so many children on the market is written by two processes."""

STEPS = ("gathering", "sealing")
"""The steps of a freeze, as its progress reports them."""


def freeze(
    session: Session,
    round_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str = "",
    progress: Progress = draw_jobs.no_progress,
) -> Snapshot:
    """Freeze the round's market and publish its commitment.  A second freeze before publication is a correction, and its
    `reason` is public.

    Refuses what `precheck` refuses, `nobody_takes_part` and `bound_wishes_differ`.
    """
    require_city_official(by)
    round_ = lock_round(session, round_id)
    precheck(session, round_, reason=reason, now=now)
    progress(0, len(STEPS), "gathering")
    market = _market_now(session, round_)
    compilation.trim_memory()  # of the objects, which left gaps that the arrays of the commitment do not fit into
    form = _form_of_draw(session, round_, without_ticket=market.children - market.tickets, now=now)
    progress(1, len(STEPS), "sealing")
    snapshot = store(session, round_id, market, form=form, reason=reason, by=by, now=now)
    _replace_earlier(session, snapshot, now)
    waits_for_seed = _commit_draw(session, round_, snapshot, form, now)
    _move_round(session, round_, waits_for_seed, by, now)
    session.flush()
    audit.record(session, "freeze", "round", round_id, by=by, now=now, commitment=snapshot.commitment)
    return snapshot


def _market_now(session: Session, round_: Round) -> WrittenMarket:
    """The files of the market, whose rows are made some thousand children at a time; those of a city by two processes."""
    found = participants.applicants(session, round_, stages=participants.TAKES_PART, strict=True)
    if not found.applications:
        raise Refused("nobody_takes_part")
    in_order = sorted(found.applications, key=lambda each: each.child)

    def write(part: participants.Part) -> WrittenPart:
        return market_builder.write_part(found.priorities.of_part(part))

    with second_process.spread(write, alone=len(in_order) < OF_A_CITY) as written:
        parts = list(written(participants.parts(session, in_order)))
    numbers = draws.ticket_numbers(session, round_.year)
    tickets = [TicketRow(each.child, numbers[each.child]) for each in in_order if each.child in numbers]
    market = market_builder.encode(found.market, {}).with_tickets(tickets)
    return market_files.join_parts(market, len(in_order), parts)


def precheck(session: Session, round_: Round, *, reason: str = "", now: dt.datetime) -> None:
    """The checks that need no market.  Refuses `round_not_closed`, `run_is_published`, `still_under_review` (with `n` and `where`),
    `returns_have_time` (with `n`, `until`) while a family may still complete what was sent back,
    `run_waits_for_its_hour`, `public_reason_missing` where a frozen list is replaced, `duplicates_undecided` (with `n`), and
    `another_draw_is_open` while another round's commitment waits for its seed.  A draw for children without tickets needs a
    declared form: refuses what `declared_forms.require_for_freeze` refuses.
    """
    if round_.stage not in MAY_FREEZE or now < round_.closes_at:
        raise Refused(
            "run_is_published" if round_.stage == RoundStage.PUBLISHED else "round_not_closed", stage=round_.stage
        )
    if participants.is_under_review(session, round_):
        waiting = participants.under_review(session, round_)
        where = "、".join(f"{row.name}（{row.n}）" for row in waiting[:5])
        raise Refused("still_under_review", n=sum(row.n for row in waiting), where=where)
    number, until = participants.returned(session, round_, now=now)
    if until is not None:
        raise Refused("returns_have_time", n=number, until=format_time(until))
    signed = select(Run.id).where(Run.round_id == round_.id, Run.state == RunState.SIGNED)
    if session.scalar(signed) is not None:
        raise Refused("run_waits_for_its_hour")
    if not reason.strip() and current(session, round_.id) is not None:
        raise Refused("public_reason_missing", field="reason")
    duplicate_waivers.require_decided(session, round_)
    last = _last_draw(session, round_.year)
    if last is not None and last.seed is None and session.get_one(Snapshot, last.snapshot_id).round_id != round_.id:
        raise Refused("another_draw_is_open")
    if _somebody_has_no_ticket(session, round_):
        declared_forms.require_for_freeze(session, round_, now=now)


def _somebody_has_no_ticket(session: Session, round_: Round) -> bool:
    taking_part = participants.participants_query(round_, participants.TAKES_PART).subquery()
    have = select(Ticket.child_id).where(Ticket.year == round_.year)
    found = select(Application.id).where(
        Application.id.in_(select(taking_part.c.id)), Application.child_id.not_in(have)
    )
    return session.scalar(found.limit(1)) is not None


def _form_of_draw(session: Session, round_: Round, *, without_ticket: int, now: dt.datetime) -> DrawForm | None:
    """The form of the draw that this freeze commits; None where everybody has a ticket."""
    last = _last_draw(session, round_.year)
    if without_ticket == 0 and (last is None or last.seed is not None):
        return None
    return declared_forms.require_for_freeze(session, round_, now=now)


def _last_draw(session: Session, year: int) -> Draw | None:
    return session.scalars(select(Draw).where(Draw.year == year).order_by(Draw.number.desc()).limit(1)).first()


def _move_round(session: Session, round_: Round, waits_for_seed: bool, by: Actor, now: dt.datetime) -> None:
    if round_.stage == RoundStage.CLOSED:
        rounds.move(session, round_, "freeze", by=by, now=now)
    elif round_.stage == RoundStage.DRAWN:
        rounds.move(session, round_, "set_aside", by=by, now=now)
    if not waits_for_seed:
        rounds.move(session, round_, "draw", by=by, now=now)


def store(
    session: Session,
    round_id: uuid.UUID,
    market: WrittenMarket,
    *,
    by: Actor,
    now: dt.datetime,
    form: DrawForm | None = None,
    reason: str = "",
) -> Snapshot:
    """Save a market as the round's next snapshot, with the declared form of the draw that it is frozen for.  `reason` tells the
    public why it replaces the current one."""
    files, replaced = _files_to_commit(session, round_id, market, form), current(session, round_id) if reason else None
    snapshot = Snapshot(
        id=uuid.uuid4(),
        round_id=round_id,
        number=last_number(session, round_id) + 1,
        commitment=commitments.commitment(files),
        market=market_files.pack(files),
        children=market.children,
        wishes=market.wishes,
        made_at=now,
        made_by=by.account_id,
        reason=reason.strip()[:LONGEST_REASON] or None if replaced else None,
        corrections=_corrections_since(session, round_id, replaced.made_at) if replaced else None,
        draw_form=form.text() if form else None,
    )
    session.add(snapshot)
    session.flush()
    return snapshot


def _files_to_commit(
    session: Session, round_id: uuid.UUID, market: WrittenMarket, form: DrawForm | None
) -> dict[str, bytes]:
    """The files of a `market/2`: with the declared form of the draw, and a new salt for each child.

    The commitment holds the facts of a child only as a salted hash, so that it says nothing of a child to others.
    """
    year = session.get_one(Round, round_id).year
    last = session.scalar(select(func.max(Ticket.number)).where(Ticket.year == year)) or 0
    salts = secrets.token_bytes(DIGEST_BYTES * market.children)
    return commitments.market_files_2(market.files, form, salts=salts, after=last)


def _corrections_since(session: Session, round_id: uuid.UUID, moment: dt.datetime) -> dict[str, int]:
    """How many corrections of each kind were decided for applications of the round: counts alone, for the public."""
    of_round = select(Wish.application_id).where(Wish.round_id == round_id, Wish.rank == 1)
    counted = select(CorrectionRequest.kind, func.count()).where(
        CorrectionRequest.state == CorrectionState.APPLIED,
        CorrectionRequest.decided_at >= moment,
        CorrectionRequest.application_id.in_(of_round),
    )
    counts = session.execute(counted.group_by(CorrectionRequest.kind))
    return {kind: number for kind, number in counts}


def mark_outdated(session: Session, round_id: uuid.UUID, *, now: dt.datetime) -> None:
    """Say that a correction changed what the round's current snapshot holds.  The caller holds the round's lock.

    From now on it takes no seed, and no run of it is started, signed or published; a new freeze is needed.
    """
    frozen = current(session, round_id)
    if frozen is not None and frozen.outdated_at is None:
        frozen.outdated_at = now
        session.flush()


def refuse_outdated(snapshot: Snapshot) -> None:
    """Refuse `snapshot_outdated`."""
    if snapshot.outdated_at is not None:
        raise Refused("snapshot_outdated")


def last_number(session: Session, round_id: uuid.UUID) -> int:
    """The number of the newest snapshot; 0 before the first."""
    return session.scalar(select(func.max(Snapshot.number)).where(Snapshot.round_id == round_id)) or 0


def current(session: Session, round_id: uuid.UUID) -> Snapshot | None:
    """The current snapshot of the round: not replaced, and not the market of a replay."""
    of_replays = select(Run.snapshot_id).where(Run.round_id == round_id, Run.replays.is_not(None))
    found = select(Snapshot).where(
        Snapshot.round_id == round_id, Snapshot.replaced_at.is_(None), Snapshot.id.not_in(of_replays)
    )
    return session.scalars(found.order_by(Snapshot.number.desc()).limit(1)).first()


def _replace_earlier(session: Session, snapshot: Snapshot, now: dt.datetime) -> None:
    if session.scalar(select(Run.id).where(Run.round_id == snapshot.round_id, Run.state == RunState.PUBLISHED)):
        raise Refused("run_is_published")
    session.execute(
        update(Snapshot)
        .where(Snapshot.round_id == snapshot.round_id, Snapshot.id != snapshot.id, Snapshot.replaced_at.is_(None))
        .values(replaced_at=now)
    )


def _commit_draw(session: Session, round_: Round, snapshot: Snapshot, form: DrawForm | None, now: dt.datetime) -> bool:
    """Publish the commitment and the form if children need tickets.  Returns whether the round now waits for a seed."""
    if form is None:
        return False
    draw = _last_draw(session, round_.year)
    if draw is None or draw.seed is not None:
        draw = Draw(year=round_.year, number=(draw.number if draw else 0) + 1)
        session.add(draw)
    draw.snapshot_id, draw.commitment, draw.committed_at = snapshot.id, snapshot.commitment, now
    draw.format, draw.draw_form = draws.FORMAT, form.text()
    draw.beacon_name = (form.beacon.name if form.beacon else None) or ""
    session.flush()
    return True
