"""What a run moves when its result is opened: bonds, places, offers and messages, each by one SQL statement.

The temporary table `run_move` holds each child of the run with its placement and its live offer.  A city has too many rows to
load them: statements compare placements with offers, write offers, and add notices.
"""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, select, text
from sqlalchemy.orm import Session

from enrollment.applications import units
from enrollment.applications.application_rows import Application
from enrollment.applications.bonds import bond_rules
from enrollment.applications.bonds.bond_rules import BondEvent
from enrollment.applications.lifecycle import GONE_STAGES
from enrollment.draw import market_files
from enrollment.draw.draws import Snapshot
from enrollment.draw.publication import preparation
from enrollment.draw.publication.preparation import MOVE_NAME, MOVES, first_move, message_kinds
from enrollment.draw.publication.rows import PreparedOffer, Publication
from enrollment.draw.run_rows import Placement, Run
from enrollment.draw.unserved.rows import ChosenPlace
from enrollment.ground import bulk_copy
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import Refused
from enrollment.offers import offer_lifecycle
from enrollment.offers.offer_lifecycle import OFFER_MOVES
from enrollment.offers.offer_rows import LIVE
from enrollment.places.kindergartens import ADMITS
from enrollment.places.programmes import Programme
from enrollment.season.round_rows import Round, RoundKind


class Overtaken(Exception):
    """A family withdrew, or refused central placement, while its offer was being written: everything is written again."""


_LIVE = "('" + "','".join(LIVE) + "')"


def lock_applications(session: Session, round_: Round) -> None:
    """Nobody who gets an offer may leave until the commit.  Raises Overtaken if somebody left since the offers were written."""
    left = text("""
        SELECT count(*) FILTER (WHERE stage = ANY(:gone) OR (:central AND NOT agrees_to_central)) FROM (
            SELECT application.stage, application.agrees_to_central
            FROM application JOIN run_move ON run_move.application_id = application.id
            WHERE run_move.moves ORDER BY application.id FOR NO KEY UPDATE OF application) AS now
    """)  # a WHERE would be pushed down, and then only those would be locked
    values = {"gone": list(GONE_STAGES), "central": round_.kind == RoundKind.CENTRAL}
    if session.scalar(left, values):
        raise Overtaken


def refuse_if_full(session: Session, run: Run) -> None:
    """The check for `places_changed` alone, of programmes with fewer places and of kindergartens that close; it writes nothing."""
    full = text(f"""
        SELECT count(*)
        FROM (SELECT programme_id, sum(one) AS by FROM (
                SELECT programme_id, 1 AS one FROM placement WHERE run_id = :run AND programme_id IS NOT NULL
                UNION ALL
                SELECT offer.programme_id, -1 FROM placement JOIN offer ON offer.application_id = placement.application_id
                WHERE placement.run_id = :run AND placement.programme_id IS NOT NULL AND offer.state IN {_LIVE}
              ) AS moved GROUP BY programme_id) AS change
        JOIN programme ON programme.id = change.programme_id
        JOIN kindergarten ON kindergarten.id = programme.kindergarten_id
        LEFT JOIN unnest(CAST(:over_at AS uuid[]), CAST(:over AS int[])) AS stands(id, over) ON stands.id = programme.id
        WHERE change.by > 0
          AND (programme.taken + change.by > programme.places + greatest(programme.overhang, coalesce(stands.over, 0))
               OR NOT {ADMITS})
    """)  # noqa: S608 (the states are ours)
    session.flush()
    count = session.scalar(full, {"run": run.id, **_overhang_by_programme(run)}) or 0
    if count:
        raise Refused("places_changed", n=count)


def _overhang_by_programme(run: Run) -> dict[str, list]:
    over: Mapping[str, Any] = (run.summary or {}).get("stands_over", {})
    return {"over_at": list(over), "over": [int(count) for count in over.values()]}


def end_bonds_of_those_placed_alone(session: Session, run: Run, by: Actor, now: dt.datetime) -> None:
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


def collect(session: Session, run: Run, round_: Round) -> None:
    """Fill the temporary table `run_move`: each child of the run with its placement and its live offer.

    The applications that hold a place, and their offers, are locked in this order, so that families cannot answer while
    places change.
    """
    session.flush()
    session.execute(text("DROP TABLE IF EXISTS run_move"))
    holding = f"""
        SELECT count(*) FROM (
            SELECT application.id FROM application JOIN placement ON placement.application_id = application.id
            WHERE placement.run_id = :run AND EXISTS (
                SELECT FROM offer WHERE offer.application_id = application.id AND offer.state IN {_LIVE})
            ORDER BY application.id FOR NO KEY UPDATE OF application) AS holding
    """  # noqa: S608 (the states are ours)
    session.execute(text(holding), {"run": run.id})
    held = f"""
        SELECT count(*) FROM (
            SELECT offer.id FROM offer JOIN placement ON placement.application_id = offer.application_id
            WHERE placement.run_id = :run AND offer.state IN {_LIVE}
            ORDER BY offer.id FOR UPDATE OF offer) AS held
    """  # noqa: S608 (the states are ours)
    session.execute(text(held), {"run": run.id})
    moves = f"CREATE TEMPORARY TABLE run_move ON COMMIT DROP AS {MOVES}"
    session.execute(text(moves), preparation.move_values(run, round_))
    session.execute(text("ANALYZE run_move"))


def refuse_overtaken(session: Session, run: Run, round_: Round) -> None:
    """Refuse a run if families hold other places than at the time of the snapshot.

    In a first run a child that was withdrawn after the freeze gets no offer, and its place goes to the next in line by a
    replay: the published list stays as it is.  A replay is computed again instead.
    """
    is_central = round_.kind == RoundKind.CENTRAL  # nobody in it held a place
    expected = {} if is_central else market_files.current_places(session.get_one(Snapshot, run.snapshot_id).market)
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
    values |= {"gone": list(GONE_STAGES), "replay": run.replays is not None}
    values["may_move"] = list(OFFER_MOVES["supersede"].from_)  # a child that arrived meanwhile stays where it is
    count = session.scalar(overtaken, values) or 0
    if count:
        raise Refused("answers_changed", n=count)


def supersede_offers(session: Session, by: Actor, now: dt.datetime) -> None:
    held = "SELECT held_id FROM run_move WHERE moves"
    offer_lifecycle.end_many(session, held, "supersede", by=by, now=now, reason="better_wish")


def move_places(session: Session, run: Run) -> None:
    """Update `taken` of the programmes; it never exceeds the places plus the overhang that the run allowed."""
    change = _changes(session)
    guarded = text(f"""
        UPDATE programme SET taken = taken + change.by, overhang = greatest(overhang, coalesce(stands.over, 0))
        FROM unnest(CAST(:ids AS uuid[]), CAST(:by AS int[])) AS change(id, by)
        LEFT JOIN unnest(CAST(:over_at AS uuid[]), CAST(:over AS int[])) AS stands(id, over) ON stands.id = change.id
        WHERE programme.id = change.id AND taken + change.by >= 0
          AND (change.by < 0 OR (taken + change.by <= places + greatest(overhang, coalesce(stands.over, 0))
               AND EXISTS (SELECT FROM kindergarten WHERE kindergarten.id = programme.kindergarten_id AND {ADMITS})))
    """)  # noqa: S608 (our own condition)
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


def make_offers(session: Session, run: Run, round_: Round, answer_by: dt.datetime, by: Actor, now: dt.datetime) -> int:
    """Make the prepared offers.  What came back into the run since the preparation is prepared now."""
    _prepare_missing(session, run, by)
    _unseal_codes(session, run)
    selected = f"""
        SELECT step.child_id, step.application_id, step.programme_id, CAST(:year AS int) AS year,
               CAST(:round AS uuid) AS round_id, CAST(:run AS uuid) AS run_id, step.rank, opened_code.code AS notice_code,
               CAST(:answer_by AS timestamptz) AS answer_by, {MOVE_NAME} AS move
        FROM run_move AS step
        JOIN opened_code ON opened_code.application_id = step.application_id
        WHERE step.moves
    """  # noqa: S608 (our own query)
    move = first_move(round_)
    values = {"year": round_.year, "round": run.round_id, "run": run.id, "answer_by": answer_by, "first_move": move}
    return offer_lifecycle.create_many(
        session, selected, (move, "move_up", "move_up_and_wait"), by=by, now=now, values=values
    )


def _unseal_codes(session: Session, run: Run) -> None:
    """Fill the temporary table `opened_code`; it is gone with the transaction, whatever becomes of it."""
    found = select(PreparedOffer.application_id, PreparedOffer.notice_code).where(PreparedOffer.run_id == run.id)
    codes = ((row.application_id, row.notice_code) for row in session.execute(found))
    bulk_copy.copy_to_temporary_table(session, "opened_code", {"application_id": "uuid", "code": "text"}, list(codes))


def _prepare_missing(session: Session, run: Run, by: Actor) -> None:
    """An application that was withdrawn at the preparation, and takes part again, has no prepared offer."""
    missing = text("""
        SELECT application_id FROM run_move
        WHERE moves AND NOT EXISTS (
            SELECT FROM prepared_offer
            WHERE prepared_offer.run_id = :run AND prepared_offer.application_id = run_move.application_id)
    """)
    ids = list(session.scalars(missing, {"run": run.id}))
    if ids:
        preparation.prepare_children(session, run, ids, by=by)


def link_proposals(session: Session, run: Run) -> None:
    linked = text("""
        UPDATE central_proposal SET offer_id = offer.id FROM offer
        WHERE offer.run_id = :run AND central_proposal.run_id = :run AND offer.application_id = central_proposal.application_id
    """)
    session.execute(linked, {"run": run.id})
    proposed = select(Placement.application_id).where(Placement.run_id == run.id)
    session.execute(delete(ChosenPlace).where(ChosenPlace.application_id.in_(proposed)))


def tell_families(
    session: Session, run: Run, round_: Round, waiting: Publication, answer_by: dt.datetime, now: dt.datetime
) -> None:
    """Put the prepared messages into the outbox.  A guardian who came since the preparation gets the same message."""
    values = {"run": run.id, "gone": list(GONE_STAGES), "first_move": first_move(round_)}
    for kind, condition in message_kinds(round_, run).items():
        joined = f"""
            SELECT run_move.* FROM run_move JOIN guardianship ON guardianship.child_id = run_move.child_id
            WHERE guardianship.accepted_at >= :prepared_at AND {condition}
        """  # noqa: S608 (our own query)
        preparation.write_notices(session, run, kind, joined, {**values, "prepared_at": waiting.prepared_at}, SYSTEM)
    told = text("""
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at)
        SELECT gen_random_uuid(), key, kind, account_id, child_id, application_id,
               params || CASE WHEN kind IN ('place_offered', 'central_offered') THEN CAST(:due AS jsonb) ELSE '{}' END, :now
        FROM prepared_notice JOIN run_move USING (application_id, child_id)
        WHERE prepared_notice.run_id = :run AND run_move.stage <> ALL(:gone)
          AND (run_move.moves OR kind = 'result_published')
        ON CONFLICT (key) DO NOTHING
    """)
    due = json.dumps({"due": format_time(answer_by)})
    session.execute(told, {"run": run.id, "gone": list(GONE_STAGES), "due": due, "now": now})
