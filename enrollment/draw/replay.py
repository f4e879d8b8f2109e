"""Places that were given up go to the next in line: the same market is solved again, with the same tickets.

Those who gave up are left out; whoever holds a place keeps it unless a better wish has room, so nobody is ever worse
off.  The first batch after the confirmation deadline is signed like a run; later ones follow daily under a standing
approval of two people.
"""

import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.draw import draw_jobs, market_files, publication, runs, snapshot
from enrollment.draw.draws import Snapshot, Ticket
from enrollment.draw.market_builder import programme_code
from enrollment.draw.market_files import ChildRow, MarketFiles, PoolRow, ProgrammeRow, TicketRow, WishRow
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground import audit, signatures
from enrollment.ground.accounts import SYSTEM, Actor, Role
from enrollment.ground.errors import Refused
from enrollment.ground.signatures import Signature
from enrollment.offers import answer_deadlines, waitlist
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.offers.waitlist import TAKES_PART, Standing
from enrollment.places.programmes import Programme
from enrollment.season.calendar import only_the_city
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

LAST_TIER = 15
STANDING, WITHDRAWN_STANDING = "standing_replay", "standing_replay_withdrawn"


def start(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Run:
    """Freeze the market as the answers left it and start a replay in the background.

    Refuses `nothing_is_published`, `answers_still_due` (with `n`) before the first batch, `nothing_to_hand_on`,
    `run_in_progress`, and, by the clock alone, `no_standing_approval`.
    """
    if not by.is_any(Role.SYSTEM):
        only_the_city(by)
    elif not is_approved(session, round_id):
        raise Refused("no_standing_approval")
    round_ = draw_jobs.lock_round(session, round_id)
    latest = runs.published(session, round_id)
    first = runs.first_published(session, round_id)
    if latest is None or first is None:
        raise Refused("nothing_is_published")
    answer_deadlines.expire_due(session, now=now)
    waiting_for = _unanswered(session, round_id)
    if latest.replays is None and waiting_for:
        raise Refused("answers_still_due", n=waiting_for)
    market = market_of(session, round_, session.get_one(Snapshot, first.snapshot_id), now=now)
    frozen = snapshot.store(session, round_id, market, by=by, now=now)
    return runs.add(session, round_id, frozen.id, by=by, now=now, replays=latest.id)


def refuse_early(session: Session, round_id: uuid.UUID, *, now: dt.datetime) -> None:
    """What shows at a glance.  Refuses `nothing_is_published`, `run_in_progress`, `answers_still_due`."""
    latest = runs.published(session, round_id)
    if latest is None:
        raise Refused("nothing_is_published")
    runs.refuse_while_one_runs(session, round_id)
    in_time = select(func.count()).where(
        Offer.round_id == round_id, Offer.state == OfferState.OFFERED, Offer.answer_by > now
    )
    waiting_for = session.scalar(in_time) or 0
    if latest.replays is None and waiting_for:
        raise Refused("answers_still_due", n=waiting_for)


def _unanswered(session: Session, round_id: uuid.UUID) -> int:
    found = select(func.count()).select_from(Offer).where(Offer.round_id == round_id, Offer.state == OfferState.OFFERED)
    return session.scalar(found) or 0


def market_of(session: Session, round_: Round, base: Snapshot, *, now: dt.datetime) -> MarketFiles:
    """The round's market again, without those who gave up, each placed child's place guaranteed.

    Refuses `nothing_to_hand_on` when no free place is wanted by anybody in line.
    """
    frozen = market_files.read(market_files.unpack(base.market))
    standings = waitlist.standings(session, round_, now=now)
    programmes = _programmes(session, round_.year)
    code_of = {programme.id: code for code, programme in programmes.items()}
    wished = _wishes_of(frozen)
    children, wishes = [], []
    for row in frozen.children:
        standing = standings.get(row.child)
        mine = _take_part(row.child, standing, wished[row.child], code_of)
        if standing is not None and mine:
            wishes += mine
            held = code_of[standing.programme_id] if standing.programme_id else ""
            children.append(row._replace(current=held))
    held_here = Counter(child.current for child in children if child.current)
    rows = _programme_rows(frozen, programmes, held_here)
    _refuse_idle(rows, held_here, wishes, {child.child: child.current for child in children})
    return replace(
        frozen,
        round="waitlist",
        programmes=rows,
        children=_unbound_where_apart(children, wishes),
        wishes=wishes,
        pools=_pools_that_fit(frozen.pools, rows),
        tickets=_tickets(session, round_.year, {child.child for child in children}),
    )


def _programmes(session: Session, year: int) -> dict[str, Programme]:
    found = session.scalars(select(Programme).where(Programme.year == year))
    return {programme_code(programme): programme for programme in found}


def _wishes_of(market: MarketFiles) -> dict[str, list[WishRow]]:
    wished: dict[str, list[WishRow]] = {row.child: [] for row in market.children}
    for wish in sorted(market.wishes):
        wished[wish.child].append(wish)
    return wished


def _take_part(
    child: str, standing: Standing | None, wished: list[WishRow], code_of: Mapping[uuid.UUID, str]
) -> list[WishRow]:
    """The wishes with which a family takes part; none when it is out of this round's line.

    Who confirmed for good takes part with its place alone.  A place from another round stands last on the list.
    """
    if standing is None or standing.code not in TAKES_PART:
        return []
    held = code_of[standing.programme_id] if standing.programme_id else None
    mine = [wish for wish in wished if wish.programme == held]
    if standing.code == "content":
        return [mine[0]._replace(rank=1)] if mine else []
    if held and not mine:
        return [*wished, WishRow(child, len(wished) + 1, held, LAST_TIER)]
    return wished


def _programme_rows(frozen: MarketFiles, programmes: Mapping[str, Programme], held: Counter[str]) -> list[ProgrammeRow]:
    """The places as the ledger has them now, without those that children outside this market hold."""
    known = {row.programme: row for row in frozen.programmes}
    rows = []
    for code in sorted(known.keys() | held.keys()):
        programme = programmes[code]
        row = known.get(code) or ProgrammeRow(
            code, programme.kindergarten.code, programme.level, programme.kindergarten.nature,
            programme.kindergarten.area_code, 0, None,
        )  # fmt: skip
        rows.append(row._replace(places=max(programme.places - (programme.taken - held[code]), 0)))
    return rows


def _refuse_idle(
    rows: list[ProgrammeRow], held: Counter[str], wishes: list[WishRow], current: Mapping[str, str]
) -> None:
    """Without a free place that somebody in line wants more than what he holds, everything would stay as it is."""
    free = {row.programme for row in rows if row.places > held[row.programme]}
    settled: set[str] = set()
    for wish in sorted(wishes):
        if wish.child in settled:
            continue
        if wish.programme == current[wish.child]:
            settled.add(wish.child)
        elif wish.programme in free:
            return
    raise Refused("nothing_to_hand_on")


def _unbound_where_apart(children: list[ChildRow], wishes: list[WishRow]) -> list[ChildRow]:
    """Bound children stay bound while they stand alike; where one of them is left, it goes on alone.  Absent elders lift nobody."""
    lists: dict[str, tuple] = {}
    for wish in sorted(wishes):
        lists[wish.child] = (*lists.get(wish.child, ()), wish.programme)
    alike: dict[str, set] = {}
    for child in children:
        if child.unit:
            alike.setdefault(child.unit, set()).add((child.current, lists[child.child]))
    sizes = Counter(child.unit for child in children)
    here = {child.child for child in children}
    return [
        child._replace(
            unit=child.unit if child.unit and sizes[child.unit] > 1 and len(alike[child.unit]) == 1 else "",
            elder=child.elder if child.elder in here else "",
        )
        for child in children
    ]


def _pools_that_fit(pools, rows: list[ProgrammeRow]) -> list[PoolRow]:
    """Reserved places cannot be more than the places there are; the last in precedence give way first."""
    room = {row.programme: row.places for row in rows}
    kept = []
    for pool in sorted(pools, key=lambda pool: (pool.programme, pool.precedence)):
        places = min(pool.places, room[pool.programme])
        room[pool.programme] -= places
        kept.append(pool._replace(places=places))
    return kept


def _tickets(session: Session, year: int, children: set[str]) -> list[TicketRow]:
    found = (
        select(Application.child_code, Ticket.number)
        .join(Ticket, (Ticket.child_id == Application.child_id) & (Ticket.year == Application.year))
        .where(Ticket.year == year)
    )
    return [TicketRow(code, number) for code, number in session.execute(found) if code in children]


def approve_standing(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """Sign that later replays of this round follow daily by themselves; two people.  Returns how many signed.

    Refuses `first_batch_comes_first`, `signed_already`, `draw_at_work`.
    """
    only_the_city(by)
    draw_jobs.refuse_while_at_work(session, round_id)
    draw_jobs.lock_round(session, round_id)
    latest = runs.published(session, round_id)
    if latest is None or latest.replays is None:
        raise Refused("first_batch_comes_first")
    return signatures.sign(session, STANDING, round_id, _standing_digest(session, round_id), by=by, now=now)


def withdraw_standing(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime, reason: str) -> None:
    """Take the standing approval back; one person is enough, and two have to sign anew before a replay follows by itself.

    Signatures never change, so the withdrawal is one too: it ends the digest that they signed.  A replay that is under
    way waits for two signatures like any run.  Refuses `no_standing_approval`, `say_why`.
    """
    only_the_city(by)
    draw_jobs.lock_round(session, round_id)
    if not reason.strip():
        raise Refused("say_why", field="reason")
    if not approvals(session, round_id):
        raise Refused("no_standing_approval")
    ended = _standing_digest(session, round_id)
    signatures.sign(session, WITHDRAWN_STANDING, round_id, ended, by=by, now=now)
    audit.record(session, "withdraw_standing", "round", round_id, by=by, now=now, reason=reason.strip()[:500])
    session.flush()


def _standing_digest(session: Session, round_id: uuid.UUID) -> str:
    """What is signed for a standing approval: another text after each withdrawal, so that old signatures count no more."""
    taken_back = select(func.count()).where(Signature.subject == WITHDRAWN_STANDING, Signature.subject_id == round_id)
    turn = session.scalar(taken_back) or 0
    return hashlib.sha256(f"{STANDING} {round_id}{f' {turn}' if turn else ''}".encode()).hexdigest()


def approvals(session: Session, round_id: uuid.UUID) -> list[Signature]:
    """The signatures under the approval that is standing now."""
    return signatures.signatures_of(session, STANDING, round_id, _standing_digest(session, round_id))


def is_approved(session: Session, round_id: uuid.UUID) -> bool:
    return len(approvals(session, round_id)) >= runs.SIGNATURES_NEEDED


def start_daily(session: Session, *, now: dt.datetime) -> list[uuid.UUID]:
    """Start what is due under a standing approval: every published round where a place can be handed on."""
    started = []
    published = select(Round.id).where(Round.stage == RoundStage.PUBLISHED).order_by(Round.year, Round.number)
    for round_id in session.scalars(published).all():
        if not is_approved(session, round_id) or draw_jobs.is_going_on(session, round_id):
            continue
        try:
            with session.begin_nested():
                started.append(start(session, round_id, by=SYSTEM, now=now).id)
        except Refused as refused:
            if refused.code not in ("nothing_to_hand_on", "run_in_progress", "answers_still_due"):
                raise
    return started


def publish_if_approved(session: Session, run_id: uuid.UUID, *, now: dt.datetime) -> bool:
    """Publish a checked replay that two people approved in advance.  A run that was overtaken by answers is set aside."""
    run = runs.one(session, run_id)
    if run.replays is None or run.started_by is not None or not is_approved(session, run.round_id):
        return False
    draw_jobs.lock_round(session, run.round_id)
    run = runs.one(session, run_id, lock=True)
    if run.state != RunState.CHECKED or not is_approved(session, run.round_id):  # taken back in the meantime
        return False
    try:
        with session.begin_nested():
            publication.publish(session, run, by=SYSTEM, now=now)
    except Refused as refused:
        run = runs.one(session, run_id, lock=True)
        run.state, run.error = RunState.SET_ASIDE, refused.code
        session.flush()
        return False
    return True
