"""The only gate to the engine: a round's market is frozen into files, and its commitment is published.

The first frozen market of a year gives the season's one draw.  A correction before the seed replaces the commitment, in
public: the old snapshot stays, with the time of its replacement.  After the seed the tickets stay, and every later
market carries them.
"""

import datetime as dt
import uuid

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from allocation import lottery
from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import AWAITING_DECISION
from enrollment.draw import draw_jobs, market_files
from enrollment.draw.draw_jobs import Progress, lock_round
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.market_builder import gather
from enrollment.draw.market_files import MarketFiles
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import round_rows as rounds
from enrollment.season.calendar import only_the_city
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

BEACON = "中国福利彩票双色球 · 存证公布后第一期的开奖号码"
"""The public value that nobody controls, unless the officials name another one before they freeze."""

MAY_FREEZE = (RoundStage.CLOSED, RoundStage.FROZEN, RoundStage.DRAWN)

STEPS = ("gathering", "sealing")
"""What freezing does, as its progress tells it."""


def freeze(
    session: Session,
    round_id: uuid.UUID,
    *,
    by: Actor,
    now: dt.datetime,
    beacon_name: str | None = None,
    progress: Progress = draw_jobs.quietly,
) -> Snapshot:
    """Freeze the round's market and publish its commitment.  Again before publication: a correction.

    Refuses what `refuse_early` refuses, `nobody_takes_part` and `bound_wishes_differ`.
    """
    only_the_city(by)
    round_ = lock_round(session, round_id)
    refuse_early(session, round_, now=now)
    progress(0, len(STEPS), "gathering")
    gathered = gather(session, round_)
    if not gathered.market.children:
        raise Refused("nobody_takes_part")
    progress(1, len(STEPS), "sealing")
    snapshot = store(session, round_id, gathered.market, by=by, now=now)
    _replace_earlier(session, snapshot, now)
    waits_for_seed = _commit_draw(session, round_, snapshot, gathered.without_ticket, beacon_name, now)
    _move_round(session, round_, waits_for_seed, by, now)
    session.flush()
    audit.record(session, "freeze", "round", round_id, by=by, now=now, commitment=snapshot.commitment)
    return snapshot


def refuse_early(session: Session, round_: Round, *, now: dt.datetime) -> None:
    """What shows at a glance.  Refuses `round_not_closed`, `run_is_published`, `still_under_review` (with `n` and `where`),
    and `another_draw_is_open` while another round's commitment waits for its seed.
    """
    if round_.stage not in MAY_FREEZE or now < round_.closes_at:
        raise Refused(
            "run_is_published" if round_.stage == RoundStage.PUBLISHED else "round_not_closed", stage=round_.stage
        )
    waiting = under_review(session, round_.id)
    if waiting:
        where = "、".join(f"{row.name}（{row.n}）" for row in waiting[:5])
        raise Refused("still_under_review", n=sum(row.n for row in waiting), where=where)
    last = _last_draw(session, round_.year)
    if last is not None and last.seed is None and session.get_one(Snapshot, last.snapshot_id).round_id != round_.id:
        raise Refused("another_draw_is_open")


def _last_draw(session: Session, year: int) -> Draw | None:
    return session.scalars(select(Draw).where(Draw.year == year).order_by(Draw.number.desc()).limit(1)).first()


def _move_round(session: Session, round_: Round, waits_for_seed: bool, by: Actor, now: dt.datetime) -> None:
    if round_.stage == RoundStage.CLOSED:
        rounds.move(session, round_, "freeze", by=by, now=now)
    elif round_.stage == RoundStage.DRAWN:
        rounds.move(session, round_, "set_aside", by=by, now=now)
    if not waits_for_seed:
        rounds.move(session, round_, "draw", by=by, now=now)


def under_review(session: Session, round_id: uuid.UUID) -> list[Row]:
    """Kindergartens (`name`) where `n` applications of the round are submitted or in review, the most first."""
    count = func.count().label("n")
    return list(
        session.execute(
            select(func.coalesce(Kindergarten.name, "—").label("name"), count)
            .select_from(Application)
            .join(Wish, (Wish.application_id == Application.id) & (Wish.round_id == round_id) & (Wish.rank == 1))
            .outerjoin(Kindergarten, Kindergarten.id == Application.review_kindergarten_id)
            .where(Application.stage.in_(AWAITING_DECISION))
            .group_by(Kindergarten.name)
            .order_by(count.desc(), Kindergarten.name)
        )
    )


def store(session: Session, round_id: uuid.UUID, market: MarketFiles, *, by: Actor, now: dt.datetime) -> Snapshot:
    """Keep a market as the round's next snapshot."""
    files = market.files()
    snapshot = Snapshot(
        id=uuid.uuid4(),
        round_id=round_id,
        number=last_number(session, round_id) + 1,
        commitment=lottery.commitment(files),
        market=market_files.pack(files),
        children=len(market.children),
        wishes=len(market.wishes),
        made_at=now,
        made_by=by.account_id,
    )
    session.add(snapshot)
    session.flush()
    return snapshot


def last_number(session: Session, round_id: uuid.UUID) -> int:
    """The number of the newest snapshot; 0 before the first."""
    return session.scalar(select(func.max(Snapshot.number)).where(Snapshot.round_id == round_id)) or 0


def current(session: Session, round_id: uuid.UUID) -> Snapshot | None:
    """The round's market as it stands: frozen, not replaced, and not the market of a replay."""
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


def _commit_draw(
    session: Session, round_: Round, snapshot: Snapshot, without_ticket: int, beacon_name: str | None, now: dt.datetime
) -> bool:
    """Publish the commitment where a seed is to follow.  True: this round waits for its seed."""
    last = _last_draw(session, round_.year)
    if last is not None and last.seed is None:
        last.snapshot_id, last.commitment, last.committed_at = snapshot.id, snapshot.commitment, now
        last.beacon_name = beacon_name or last.beacon_name
        return True
    if without_ticket == 0:
        return False
    draw = Draw(
        year=round_.year,
        number=(last.number if last else 0) + 1,
        snapshot_id=snapshot.id,
        commitment=snapshot.commitment,
        committed_at=now,
        beacon_name=beacon_name or BEACON,
    )
    session.add(draw)
    return True
