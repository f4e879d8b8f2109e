"""What a run gave becomes offers, in one transaction: whoever holds a better place keeps it, nobody holds two.

A first run makes the offers of its round.  A supplementary run and a replay also move children who hold a place: the old
offer is superseded in the same breath, and the table refuses a second live one.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from enrollment.draw import bulk, market_files
from enrollment.draw.draws import Snapshot
from enrollment.draw.gathering import programme_code
from enrollment.draw.offers import LIVE, Offer, new_notice_code
from enrollment.draw.run_rows import Placement, Run
from enrollment.draw.telling import About, tell_families
from enrollment.families.applications import Application
from enrollment.families.lifecycle import REFUSED, WITHDRAWN
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU, written
from enrollment.ground.errors import Refused
from enrollment.places.programmes import Programme
from enrollment.season import round_rows as rounds

TO_ANSWER = dt.timedelta(days=3)
"""The least time to answer, so that a reminder the day before is possible; it ends at 17:00."""


@dataclass(frozen=True)
class Step:
    """One child's change: what it holds now (or nothing), and the place that the run gave."""

    row: Row
    held: Row | None


def publish(session: Session, run: Run, *, by: Actor, now: dt.datetime) -> int:
    """Make and replace offers as the run says, store what stands over, tell the families.  Returns how many offers.

    The caller holds the locks of the round and the run.  Refuses `places_changed` when a programme has no room left for
    the run, and `answers_changed` when families answered or withdrew since its snapshot; then a new run is due.
    """
    round_ = rounds.one(session, run.round_id)
    placed = _placements(session, run.id)
    held = _held(session, [row.application_id for row in placed])
    _refuse_overtaken(session, run, placed, held)
    steps = [
        Step(row, held.get(row.application_id))
        for row in placed
        if row.programme_id and _is_new(row, held.get(row.application_id))
    ]
    _end_old(session, steps, by, now)
    _move_places(session, steps, (run.summary or {}).get("stands_over", {}))
    answer_by = due(round_.confirm_by, now)
    offers = _make_offers(session, run, steps, answer_by, by, now)
    _retire_earlier(session, run)
    run.state, run.published_at = "published", now
    if round_.stage == "drawn":
        rounds.move(session, round_, "publish", by=by, now=now)
    audit.record(session, "publish", "run", run.id, by=by, now=now, digest=run.digest, offers=len(offers))
    _tell(session, run, placed, offers, answer_by, now)
    session.flush()
    return len(offers)


def due(confirm_by: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When an answer is due: the round's date, but never sooner than three days from now, at 17:00."""
    if confirm_by - now >= TO_ANSWER - dt.timedelta(days=1):
        return confirm_by
    day = (now + TO_ANSWER).astimezone(CHENGDU)
    return day.replace(hour=17, minute=0, second=0, microsecond=0)


def _placements(session: Session, run_id: uuid.UUID) -> list[Row]:
    return list(
        session.execute(
            select(
                Placement.application_id,
                Placement.programme_id,
                Placement.rank,
                Application.child_id,
                Application.child_code,
                Application.stage,
            )
            .join(Application, Application.id == Placement.application_id)
            .where(Placement.run_id == run_id)
            .order_by(Placement.application_id)
        )
    )


def _held(session: Session, application_ids: list[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """The live offers of these families, locked, so that nobody answers while places move."""
    found = (
        select(Offer.id, Offer.application_id, Offer.programme_id, Offer.state, Offer.answer_by)
        .where(Offer.state.in_(LIVE), Offer.application_id.in_(application_ids))
        .order_by(Offer.id)
        .with_for_update()
    )
    return {row.application_id: row for row in session.execute(found)}


def _refuse_overtaken(session: Session, run: Run, placed: list[Row], held: dict[uuid.UUID, Row]) -> None:
    """The run holds only for the places that families held when its market was frozen."""
    market = market_files.read(market_files.unpack(session.get_one(Snapshot, run.snapshot_id).market))
    expected = {child.child: child.current for child in market.children if child.current}
    code_of = _programme_codes(session, {row.programme_id for row in held.values()})
    overtaken = 0
    for row in placed:
        live = held.get(row.application_id)
        gone = row.stage in (REFUSED, WITHDRAWN) and row.programme_id is not None
        overtaken += gone or (code_of[live.programme_id] if live else "") != expected.get(row.child_code, "")
    if overtaken:
        raise Refused("answers_changed", n=overtaken)


def _programme_codes(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    found = session.scalars(select(Programme).where(Programme.id.in_(ids)))
    return {programme.id: programme_code(programme) for programme in found}


def _is_new(row: Row, held: Row | None) -> bool:
    return held is None or held.programme_id != row.programme_id


def _end_old(session: Session, steps: list[Step], by: Actor, now: dt.datetime) -> None:
    moved = [step.held for step in steps if step.held is not None]
    if not moved:
        return
    ids = [held.id for held in moved]
    session.execute(update(Offer).where(Offer.id.in_(ids)).values(state="superseded", ended_at=now))
    rows = ((held.id, held.state, "superseded", by.account_id, now, "better_wish") for held in moved)
    bulk.copy_in(session, "offer_move", ("offer_id", "before", "after", "account_id", "at", "reason"), rows)


def _move_places(session: Session, steps: list[Step], overhang: dict[str, int]) -> None:
    """Count `taken` up and down, guarded: never more than the places and what the run let stand over."""
    change: Counter[uuid.UUID] = Counter(step.row.programme_id for step in steps)
    change.subtract(step.held.programme_id for step in steps if step.held is not None)
    ids = sorted(id_ for id_, by in change.items() if by)
    if not ids:
        return
    guarded = text("""
        UPDATE programme SET taken = taken + change.by, overhang = greatest(overhang, change.over)
        FROM (SELECT unnest(CAST(:ids AS uuid[])) AS id, unnest(CAST(:by AS int[])) AS by,
                     unnest(CAST(:over AS int[])) AS over ORDER BY 1) AS change
        WHERE programme.id = change.id AND taken + change.by >= 0
          AND (change.by < 0 OR taken + change.by <= places + greatest(overhang, change.over))
    """)
    over = [int(overhang.get(str(id_), 0)) for id_ in ids]
    session.flush()
    _lock_programmes(session, ids)
    moved = session.execute(guarded, {"ids": ids, "by": [change[id_] for id_ in ids], "over": over})
    if moved.rowcount != len(ids):  # type: ignore[attr-defined]
        raise Refused("places_changed", n=len(ids) - moved.rowcount)  # type: ignore[attr-defined]
    for known in [item for item in session.identity_map.values() if isinstance(item, Programme | Offer)]:
        session.expire(known)


def _lock_programmes(session: Session, ids: Iterable[uuid.UUID]) -> None:
    """Always in the same order, so that two publications wait for each other instead of for ever."""
    session.execute(select(Programme.id).where(Programme.id.in_(list(ids))).order_by(Programme.id).with_for_update())


def _make_offers(
    session: Session, run: Run, steps: list[Step], answer_by: dt.datetime, by: Actor, now: dt.datetime
) -> list[tuple[uuid.UUID, Step, str]]:
    year = rounds.one(session, run.round_id).year
    offers = [(uuid.uuid4(), step, _first_state(step)) for step in steps]
    columns = (
        "id", "child_id", "application_id", "programme_id", "year", "round_id", "run_id", "rank", "state", "notice_code",
        "made_at", "answer_by", "answered_at",
    )  # fmt: skip
    rows = (
        (
            id_, step.row.child_id, step.row.application_id, step.row.programme_id, year, run.round_id, run.id,
            step.row.rank, state, new_notice_code(), now, answer_by, now if state != "offered" else None,
        )
        for id_, step, state in offers
    )  # fmt: skip
    bulk.copy_in(session, "offer", columns, rows)
    moves = ((id_, None, state, by.account_id, now, None) for id_, _step, state in offers)
    bulk.copy_in(session, "offer_move", ("offer_id", "before", "after", "account_id", "at", "reason"), moves)
    return offers


def _first_state(step: Step) -> str:
    """A family that keeps its place and waits is moved without being asked again; it goes on waiting for still better."""
    if step.held is None or step.held.state == "offered":
        return "offered"
    if step.held.state == "confirmed_waiting" and step.row.rank > 1:
        return "confirmed_waiting"
    return "confirmed"


def _retire_earlier(session: Session, run: Run) -> None:
    session.execute(
        update(Run).where(Run.round_id == run.round_id, Run.state == "published").values(state="superseded")
    )


def _tell(
    session: Session,
    run: Run,
    placed: list[Row],
    offers: list[tuple[uuid.UUID, Step, str]],
    answer_by: dt.datetime,
    now: dt.datetime,
) -> None:
    when = {"due": written(answer_by)}
    if run.replays is None:
        about: list[About] = [
            (row.child_id, row.application_id, f"result:{run.id}:{row.application_id}", {}) for row in placed
        ]
        tell_families(session, "result_published", about, now=now)
        return
    for kind, wanted in (("place_offered", True), ("moved_up", False)):
        about = [
            (step.row.child_id, step.row.application_id, f"{kind}:{id_}", when if wanted else {})
            for id_, step, state in offers
            if (state == "offered") == wanted
        ]
        tell_families(session, kind, about, now=now)
