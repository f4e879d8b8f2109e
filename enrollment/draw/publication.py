"""Publication: the placements of a run become offers, in one transaction.  No child holds two places.

A first run makes the offers of its round.  A supplementary run or a replay also moves children who hold a place: their
old offer is superseded in the same transaction, and the table refuses a second live offer.

A city has too many rows to load them.  SQL statements compare placements with offers, write offers, and add notices.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.application_rows import Application
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.lifecycle import DEAD_STAGES
from enrollment.applications.notifications import notify_guardians_of
from enrollment.draw import draw_jobs, market_files
from enrollment.draw.draw_jobs import Progress
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground import audit, bulk_copy
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import CHENGDU, format_time
from enrollment.ground.errors import Refused
from enrollment.ground.random_codes import notice_codes
from enrollment.offers import offer_lifecycle
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import LIVE
from enrollment.places.programmes import Programme
from enrollment.season import round_rows as rounds
from enrollment.season.round_rows import RoundStage

TO_ANSWER = dt.timedelta(days=3)
"""The shortest time to answer.  It leaves time for a reminder on the day before, and ends at 17:00."""

STEPS = ("comparing", "offering", "telling")
"""The steps of a publication, as its progress reports them."""

_LIVE = "('" + "','".join(LIVE) + "')"


def publish(
    session: Session, run: Run, *, by: Actor, now: dt.datetime, progress: Progress = draw_jobs.no_progress
) -> int:
    """Make and replace offers, store the overhang, and notify the families.  Returns how many offers were made.

    The caller holds the locks of the round and the run.  Refuses `places_changed` when a programme has too few places left
    for the run, and `answers_changed` when families answered or withdrew since its snapshot; then a new run is needed.
    """
    round_ = rounds.get_round(session, run.round_id)
    progress(0, len(STEPS), "comparing")
    _end_bonds_of_those_placed_alone(session, run, by, now)
    _collect_moves(session, run)
    _refuse_overtaken(session, run)
    progress(1, len(STEPS), "offering")
    _supersede_offers(session, by, now)
    _move_places(session, run)
    answer_by = answer_deadline(round_.confirm_by, now)
    offers = _make_offers(session, run, round_.year, answer_by, by, now)
    _supersede_runs(session, run)
    run.state, run.published_at = RunState.PUBLISHED, now
    if round_.stage == RoundStage.DRAWN:
        rounds.move(session, round_, "publish", by=by, now=now)
    audit.record(session, "publish", "run", run.id, by=by, now=now, digest=run.digest, offers=offers)
    progress(2, len(STEPS), "telling")
    _notify(session, run, answer_by, by, now)
    session.flush()
    return offers


def answer_deadline(confirm_by: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When an answer is due: the round's date, but never sooner than three days from now, at 17:00."""
    if confirm_by - now >= TO_ANSWER - dt.timedelta(days=1):
        return confirm_by
    day = (now + TO_ANSWER).astimezone(CHENGDU)
    return day.replace(hour=17, minute=0, second=0, microsecond=0)


def refuse_if_full(session: Session, run: Run) -> None:
    """The check for `places_changed` alone; it writes nothing."""
    full = text(f"""
        SELECT count(*)
        FROM (SELECT programme_id, sum(one) AS by FROM (
                SELECT programme_id, 1 AS one FROM placement WHERE run_id = :run AND programme_id IS NOT NULL
                UNION ALL
                SELECT offer.programme_id, -1 FROM placement JOIN offer ON offer.application_id = placement.application_id
                WHERE placement.run_id = :run AND placement.programme_id IS NOT NULL AND offer.state IN {_LIVE}
              ) AS moved GROUP BY programme_id) AS change
        JOIN programme ON programme.id = change.programme_id
        LEFT JOIN unnest(CAST(:over_at AS uuid[]), CAST(:over AS int[])) AS stands(id, over) ON stands.id = programme.id
        WHERE change.by > 0
          AND programme.taken + change.by > programme.places + greatest(programme.overhang, coalesce(stands.over, 0))
    """)  # noqa: S608 (the states are ours)
    session.flush()
    count = session.scalar(full, {"run": run.id, **_overhang_by_programme(run)}) or 0
    if count:
        raise Refused("places_changed", n=count)


def _overhang_by_programme(run: Run) -> dict[str, list]:
    over: Mapping[str, Any] = (run.summary or {}).get("stands_over", {})
    return {"over_at": list(over), "over": [int(count) for count in over.values()]}


def _end_bonds_of_those_placed_alone(session: Session, run: Run, by: Actor, now: dt.datetime) -> None:
    """A child that gets a place which its bound siblings do not get leaves the bond; applications are locked before offers."""
    alone = text(f"""
        SELECT placement.application_id
        FROM placement
        JOIN application ON application.id = placement.application_id AND application.unit IS NOT NULL
        LEFT JOIN offer ON offer.application_id = application.id AND offer.state IN {_LIVE}
        WHERE placement.run_id = :run AND placement.programme_id IS NOT NULL
          AND placement.programme_id IS DISTINCT FROM offer.programme_id
          AND EXISTS (
              SELECT FROM application AS other
              LEFT JOIN placement AS theirs ON theirs.application_id = other.id AND theirs.run_id = :run
              WHERE other.unit = application.unit AND other.id <> application.id
                AND theirs.programme_id IS DISTINCT FROM placement.programme_id)
        ORDER BY placement.application_id
    """)  # noqa: S608 (the states are ours)
    session.flush()
    ids = list(session.scalars(alone, {"run": run.id}))
    units.lock_families(session, ids)
    for application in session.scalars(select(Application).where(Application.id.in_(ids)).order_by(Application.id)):
        bond_rules.leave(session, application, BondEvent.PLACE_ALONE, by=by, now=now)


def _collect_moves(session: Session, run: Run) -> None:
    """Fill the temporary table `run_move`: each child of the run with its placement and its live offer.

    The offers are locked, so that families cannot answer while places change.
    """
    session.flush()
    session.execute(text("DROP TABLE IF EXISTS run_move"))
    held = f"""
        SELECT count(*) FROM (
            SELECT offer.id FROM offer JOIN placement ON placement.application_id = offer.application_id
            WHERE placement.run_id = :run AND offer.state IN {_LIVE}
            ORDER BY offer.id FOR UPDATE OF offer) AS held
    """  # noqa: S608 (the states are ours)
    session.execute(text(held), {"run": run.id})
    moves = f"""
        CREATE TEMPORARY TABLE run_move ON COMMIT DROP AS
        SELECT placement.application_id, application.child_id, application.child_code, application.stage,
               placement.programme_id, placement.rank,
               offer.id AS held_id, offer.programme_id AS held_at, offer.state AS held_state,
               placement.programme_id IS NOT NULL AND placement.programme_id IS DISTINCT FROM offer.programme_id
                   AND application.stage <> ALL(:gone) AS moves
        FROM placement
        JOIN application ON application.id = placement.application_id
        LEFT JOIN offer ON offer.application_id = placement.application_id AND offer.state IN {_LIVE}
        WHERE placement.run_id = :run
    """  # noqa: S608 (the states are ours)
    session.execute(text(moves), {"run": run.id, "gone": list(DEAD_STAGES)})
    session.execute(text("ANALYZE run_move"))


def _refuse_overtaken(session: Session, run: Run) -> None:
    """Refuse a run if families hold other places than at the time of the snapshot.

    In a first run a child that was withdrawn after the freeze gets no offer, and its place goes to the next in line by a
    replay: the published list stays as it is.  A replay is computed again instead.
    """
    expected = market_files.current_places(session.get_one(Snapshot, run.snapshot_id).market)
    overtaken = text("""
        SELECT count(*)
        FROM run_move
        LEFT JOIN programme ON programme.id = run_move.held_at
        LEFT JOIN kindergarten ON kindergarten.id = programme.kindergarten_id
        LEFT JOIN unnest(CAST(:children AS text[]), CAST(:places AS text[])) AS expected(child, place)
               ON expected.child = run_move.child_code
        WHERE (:replay AND run_move.stage = ANY(:gone) AND run_move.programme_id IS NOT NULL)
           OR coalesce(kindergarten.code || '-' || programme.level, '') <> coalesce(expected.place, '')
           OR (run_move.moves AND run_move.held_state <> ALL(:may_move))
    """)
    values: dict[str, Any] = {"children": list(expected), "places": list(expected.values())}
    values |= {"gone": list(DEAD_STAGES), "replay": run.replays is not None}
    values["may_move"] = list(OFFER_MOVES["supersede"].from_)  # a child that arrived meanwhile stays where it is
    count = session.scalar(overtaken, values) or 0
    if count:
        raise Refused("answers_changed", n=count)


def _supersede_offers(session: Session, by: Actor, now: dt.datetime) -> None:
    held = "SELECT held_id FROM run_move WHERE moves"
    offer_lifecycle.end_many(session, held, "supersede", by=by, now=now, reason="better_wish")


def _move_places(session: Session, run: Run) -> None:
    """Update `taken` of the programmes; it never exceeds the places plus the overhang that the run allowed."""
    change = _changes(session)
    guarded = text("""
        UPDATE programme SET taken = taken + change.by, overhang = greatest(overhang, coalesce(stands.over, 0))
        FROM unnest(CAST(:ids AS uuid[]), CAST(:by AS int[])) AS change(id, by)
        LEFT JOIN unnest(CAST(:over_at AS uuid[]), CAST(:over AS int[])) AS stands(id, over) ON stands.id = change.id
        WHERE programme.id = change.id AND taken + change.by >= 0
          AND (change.by < 0 OR taken + change.by <= places + greatest(overhang, coalesce(stands.over, 0)))
    """)
    values = {"ids": [row.id for row in change], "by": [row.by for row in change]}
    moved = session.execute(guarded, values | _overhang_by_programme(run))
    if moved.rowcount != len(change):  # type: ignore[attr-defined]
        raise Refused("places_changed", n=len(change) - moved.rowcount)  # type: ignore[attr-defined]
    for known in [item for item in session.identity_map.values() if isinstance(item, Programme)]:
        session.expire(known)


def _changes(session: Session) -> list[Row]:
    """How much `taken` changes for each programme.  The programmes are locked in the order of their ids, so that two
    publications at the same time cannot deadlock."""
    return list(
        session.execute(
            text("""
                SELECT programme.id, change.by FROM programme JOIN (
                    SELECT id, CAST(sum(one) AS int) AS by FROM (
                        SELECT programme_id AS id, 1 AS one FROM run_move WHERE moves
                        UNION ALL
                        SELECT held_at, -1 FROM run_move WHERE moves AND held_at IS NOT NULL
                    ) AS moved GROUP BY id) AS change ON change.id = programme.id
                WHERE change.by <> 0 ORDER BY programme.id FOR NO KEY UPDATE OF programme
            """)
        )
    )


def _make_offers(session: Session, run: Run, year: int, answer_by: dt.datetime, by: Actor, now: dt.datetime) -> int:
    """A family that confirmed a place and waits for a better one is moved without a new question, and waits on if it can."""
    count = session.scalar(text("SELECT count(*) FROM run_move WHERE moves")) or 0
    codes = enumerate(notice_codes(count), start=1)
    bulk_copy.copy_to_temporary_table(session, "fresh_code", {"number": "int", "code": "text"}, codes)
    selected = """
        SELECT child_id, application_id, programme_id, CAST(:year AS int) AS year, CAST(:round AS uuid) AS round_id,
               CAST(:run AS uuid) AS run_id, rank, code AS notice_code, CAST(:answer_by AS timestamptz) AS answer_by, move
        FROM (SELECT *, row_number() OVER (ORDER BY application_id) AS number,
                     CASE WHEN held_id IS NULL OR held_state = 'offered' THEN 'offer'
                          WHEN held_state = 'confirmed_waiting' AND rank > 1 THEN 'move_up_and_wait'
                          ELSE 'move_up' END AS move
              FROM run_move WHERE moves) AS step
        JOIN fresh_code USING (number)
    """
    values = {"year": year, "round": run.round_id, "run": run.id, "answer_by": answer_by}
    moves = ("offer", "move_up", "move_up_and_wait")
    return offer_lifecycle.create_many(session, selected, moves, by=by, now=now, values=values)


def _supersede_runs(session: Session, run: Run) -> None:
    session.execute(
        update(Run)
        .where(Run.round_id == run.round_id, Run.state == RunState.PUBLISHED)
        .values(state=RunState.SUPERSEDED)
    )


def _notify(session: Session, run: Run, answer_by: dt.datetime, by: Actor, now: dt.datetime) -> None:
    """After a first run everybody who still takes part is notified; after a replay those who got a place by it."""
    if run.replays is None:
        result = "SELECT child_id, application_id, 'result:' || :run || ':' || application_id AS event FROM run_move WHERE stage <> ALL(:gone)"
        values: dict[str, Any] = {"run": str(run.id), "gone": list(DEAD_STAGES)}
        notify_guardians_of(session, "result_published", result, values, now=now, by=by)
        return
    made = (
        "SELECT child_id, application_id, '{0}:' || id AS event FROM offer WHERE run_id = :run AND state {1} 'offered'"
    )
    values = {"run": run.id}
    due_then = {"due": format_time(answer_by)}
    notify_guardians_of(
        session, "place_offered", made.format("place_offered", "="), values, now=now, by=by, params=due_then
    )
    notify_guardians_of(session, "moved_up", made.format("moved_up", "<>"), values, now=now, by=by)
