"""All moves of an offer in one table, and the functions that make them.

Each function changes the state, the count of taken places and the history together.  `end_many` and `create_many` move
the offers of a whole city without loading the rows, and the run counts the places itself; `make_many` makes the moves of
many people.  A joint decision that a move makes impossible becomes void.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, select, text, update
from sqlalchemy.orm import Session

from enrollment.ground import audit, bulk_copy
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import Refused
from enrollment.ground.moves import Move
from enrollment.offers import joint_decisions
from enrollment.offers.offer_rows import ANSWERABLE, EXPECTED, LIVE, Offer, OfferMove, OfferState
from enrollment.places.programmes import Programme

_FAMILY = frozenset({Role.GUARDIAN})
_AT_THE_KINDERGARTEN = frozenset({Role.CLERK, Role.HEAD})
_RUN = frozenset({Role.SYSTEM})
"""Two officials of the city sign a run; the clock opens it at its hour."""


def _move(from_: Iterable[OfferState], to: OfferState, by: frozenset[Role]) -> Move:
    return Move(frozenset(from_), to, by)


OFFER_MOVES = {
    "offer": _move((), OfferState.OFFERED, _RUN),
    "move_up": _move((), OfferState.CONFIRMED, _RUN),
    "move_up_and_wait": _move((), OfferState.CONFIRMED_WAITING, _RUN),
    "place_centrally": _move((), OfferState.OFFERED, _RUN),
    "confirm": _move({OfferState.OFFERED, OfferState.CONFIRMED_WAITING}, OfferState.CONFIRMED, _FAMILY),
    "confirm_and_wait": _move({OfferState.OFFERED, OfferState.CONFIRMED}, OfferState.CONFIRMED_WAITING, _FAMILY),
    "decline": _move(ANSWERABLE, OfferState.DECLINED, _FAMILY),
    "take_back": _move({OfferState.DECLINED}, OfferState.CONFIRMED, _FAMILY),
    "mark_arrived": _move(EXPECTED, OfferState.ARRIVED, _AT_THE_KINDERGARTEN),
    "undo_arrival": _move({OfferState.ARRIVED}, OfferState.CONFIRMED, _AT_THE_KINDERGARTEN),
    "undo_arrival_and_wait": _move({OfferState.ARRIVED}, OfferState.CONFIRMED_WAITING, _AT_THE_KINDERGARTEN),
    "mark_no_show": _move(EXPECTED, OfferState.NO_SHOW, _AT_THE_KINDERGARTEN),
    "undo_no_show": _move({OfferState.NO_SHOW}, OfferState.CONFIRMED, _AT_THE_KINDERGARTEN),
    "undo_no_show_and_wait": _move({OfferState.NO_SHOW}, OfferState.CONFIRMED_WAITING, _AT_THE_KINDERGARTEN),
    "expire": _move({OfferState.OFFERED}, OfferState.EXPIRED, frozenset({Role.SYSTEM})),
    "supersede": _move(ANSWERABLE, OfferState.SUPERSEDED, _RUN),
    "revoke": _move(LIVE, OfferState.REVOKED, frozenset({Role.AREA_OFFICIAL, Role.CITY_OFFICIAL})),
}
"""The first four create an offer; the others change one."""

CREATING = tuple(name for name, move in OFFER_MOVES.items() if not move.from_)


@dataclass(frozen=True)
class PersonalMove:
    """The move that the person of this account makes for an offer at a moment."""

    offer_id: uuid.UUID
    move: str
    account_id: uuid.UUID
    at: dt.datetime


def free_place(session: Session, programme_id: uuid.UUID) -> None:
    freed = update(Programme).where(Programme.id == programme_id, Programme.taken > 0)
    if session.scalar(freed.values(taken=Programme.taken - 1).returning(Programme.id)) is None:
        raise Refused("no_place_taken")


def take_place(session: Session, programme_id: uuid.UUID) -> None:
    """Take a place that was free again.  Refuses `place_went_on`."""
    free = Programme.taken < Programme.places + Programme.overhang
    taken = update(Programme).where(Programme.id == programme_id, free).values(taken=Programme.taken + 1)
    if session.scalar(taken.returning(Programme.id)) is None:
        raise Refused("place_went_on")


def state_before(session: Session, offer_id: uuid.UUID, state: OfferState) -> str | None:
    """The state in which the offer was before it came into this one for the last time."""
    found = select(OfferMove.before).where(OfferMove.offer_id == offer_id, OfferMove.after == state)
    return session.scalars(found.order_by(OfferMove.number.desc())).first()


def make(session: Session, offer: Offer, move: str, *, by: Actor, now: dt.datetime, reason: str | None = None) -> int:
    """Change one offer: its state, the place, the history and the audit.  Returns the number of the move in the history,
    which makes the key of its message: a move that is made again is told again.

    The caller holds the offer's lock, and has checked that the offer is in this actor's scope.
    Refuses `move_not_for_this_role` for a role that the table does not list, `offer_move_not_possible` from another
    state, and `place_went_on` if an ended offer shall live again and its place is taken.
    """
    step = OFFER_MOVES[move]
    step.require_role(by)
    if offer.state not in step.from_:
        raise Refused("offer_move_not_possible", move=move, state=offer.state)
    before, offer.state = offer.state, step.to
    if step.to in LIVE:
        offer.answered_at = now
        if before not in LIVE:
            offer.ended_at = None
            take_place(session, offer.programme_id)
    else:
        offer.ended_at = now
        free_place(session, offer.programme_id)
    made = _history(offer.id, move, before, step.to, by, now, reason)
    session.add(made)
    audit.record(session, step.to, "offer", offer.id, by=by, now=now, reason=reason, before=before)
    session.flush()
    if step.to not in ANSWERABLE:
        joint_decisions.void_overtaken(session, by=by, now=now)
    return made.number


def sql_of(moves: Collection[str]) -> tuple[str, str]:
    """One of several moves between live states as parts of a larger statement: the change of an offer, and its history
    from the CTE `kept`, which gives `number`.

    The caller adds FROM and the condition to the first part, among it that the offer is `OFFERED`.  Parameters are `move`,
    `state` (where the move leads), `account` and `now`.  Raises ValueError for a move that is not from `OFFERED`, or ends an
    offer.  The caller has looked at the actor's role, and writes the audit entry.
    """
    steps = [OFFER_MOVES[move] for move in moves]
    if any(OfferState.OFFERED not in step.from_ or step.to not in LIVE for step in steps):
        raise ValueError(f"{moves} from {OfferState.OFFERED}")
    change = "UPDATE offer SET state = %(state)s, answered_at = %(now)s"
    history = f"""INSERT INTO offer_move (offer_id, move, before, after, account_id, at)
        SELECT id, %(move)s, '{OfferState.OFFERED}', %(state)s, %(account)s, %(now)s FROM kept
        RETURNING number"""  # noqa: S608 (constants)
    return change, history


def _history(
    offer_id: uuid.UUID, move: str, before: str | None, after: str, by: Actor, now: dt.datetime, reason: str | None
) -> OfferMove:
    return OfferMove(
        offer_id=offer_id, move=move, before=before, after=after, account_id=by.account_id, at=now, reason=reason
    )


def end_many(
    session: Session,
    selected: str | Collection[uuid.UUID],
    move: str,
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
    values: Mapping[str, Any] | None = None,
) -> int:
    """Make one move, to a state that is not live, for many offers in one statement.  Returns how many it moved.

    `selected` is a query for ids of offers, with its `values`, or the ids themselves.  The caller holds the offers'
    locks, counts the places and writes the audit.  An offer in another state is left as it is.
    Refuses `move_not_for_this_role`.
    """
    step = OFFER_MOVES[move]
    step.require_role(by)
    if not step.from_ or step.to in LIVE:
        raise ValueError(f"{move} does not end an offer")
    if not isinstance(selected, str):
        selected, values = "SELECT unnest(CAST(:selected AS uuid[]))", {"selected": list(selected)}
    ended = text(f"""
        WITH before AS (
            SELECT id, state FROM offer WHERE id IN ({selected}) AND state = ANY(:move_from)
        ), ended AS (
            UPDATE offer SET state = :move_to, ended_at = CAST(:move_at AS timestamptz)
            FROM before WHERE offer.id = before.id
            RETURNING offer.id, before.state
        )
        INSERT INTO offer_move (offer_id, move, before, after, account_id, at, reason)
        SELECT id, :move, state, :move_to, CAST(:move_by AS uuid), CAST(:move_at AS timestamptz), :reason FROM ended
    """)  # noqa: S608 (the query is ours)
    given = {"move_from": sorted(step.from_), "move_to": step.to, **_given(by, now), "move": move, "reason": reason}
    count = _run(session, ended, {**(values or {}), **given})
    joint_decisions.void_overtaken(session, by=by, now=now)
    return count


def make_many(session: Session, moves: Sequence[PersonalMove], *, role: Role) -> dict[uuid.UUID, int]:
    """Make the moves of many people of one role: the rows that `make` writes for each.  Returns the number of each move in
    the history, by offer.

    The caller has checked that each offer is in its person's scope, and leaves out offers about which a joint decision
    waits.  An offer in another state is left as it is.  Refuses `move_not_for_this_role`; a move that makes an ended offer
    live again is made one by one.
    """
    steps = {name: OFFER_MOVES[name] for name in {each.move for each in moves}}
    for name, step in steps.items():
        if role not in step.by:
            raise Refused("move_not_for_this_role", move=name)
        if not step.from_ <= set(LIVE):
            raise ValueError(f"{name} may take a place")
    possible = [(name, state, step.to) for name, step in steps.items() for state in sorted(step.from_)]
    ids = [each.offer_id for each in moves]
    session.flush()
    session.execute(select(Offer.id).where(Offer.id.in_(ids)).order_by(Offer.id).with_for_update())
    made = text("""
        WITH given AS (
            SELECT offer.id, offer.programme_id, offer.state AS before, possible.after, given.move, given.account_id, given.at
            FROM unnest(CAST(:ids AS uuid[]), CAST(:moves AS text[]), CAST(:accounts AS uuid[]), CAST(:times AS timestamptz[]))
                AS given(offer_id, move, account_id, at)
            JOIN offer ON offer.id = given.offer_id
            JOIN unnest(CAST(:names AS text[]), CAST(:befores AS text[]), CAST(:afters AS text[]))
                AS possible(move, before, after) ON possible.move = given.move AND possible.before = offer.state
        ), changed AS (
            UPDATE offer SET state = given.after,
                answered_at = CASE WHEN given.after = ANY(:live) THEN given.at ELSE offer.answered_at END,
                ended_at = CASE WHEN given.after = ANY(:live) THEN offer.ended_at ELSE given.at END
            FROM given WHERE offer.id = given.id
        )
        INSERT INTO offer_move (offer_id, move, before, after, account_id, at, reason)
        SELECT id, move, before, after, account_id, at, NULL FROM given
        RETURNING number, offer_id, before, after, account_id, at
    """)
    values: dict[str, Any] = {"ids": ids, "moves": [each.move for each in moves], "live": list(LIVE)}
    values |= {"accounts": [each.account_id for each in moves], "times": [each.at for each in moves]}
    values |= dict(zip(("names", "befores", "afters"), map(list, zip(*possible, strict=True)), strict=True))
    history = session.execute(made, values).all()
    said = ((row.at, row.account_id, row.after, "offer", str(row.offer_id), {"before": row.before}) for row in history)
    bulk_copy.copy_rows(session, "audit_entry", audit.COPIED, said)
    _free_places(session, [row.offer_id for row in history if row.after not in LIVE])
    _expire_loaded(session)
    return {row.offer_id: row.number for row in history}


def _free_places(session: Session, ids: Collection[uuid.UUID]) -> None:
    """Count the places of these offers as free.  The programmes are locked in the order in which a publication locks them."""
    if not ids:
        return
    of_offers = select(Offer.programme_id).where(Offer.id.in_(ids))
    locked = select(Programme.id).where(Programme.id.in_(of_offers)).order_by(Programme.id)
    session.execute(locked.with_for_update(key_share=True))
    freed = text("""
        UPDATE programme SET taken = taken - freed.n
        FROM (SELECT programme_id, count(*) AS n FROM offer WHERE id = ANY(:ids) GROUP BY programme_id) AS freed
        WHERE programme.id = freed.programme_id
    """)
    session.execute(freed, {"ids": list(ids)})
    for known in [row for row in session.identity_map.values() if isinstance(row, Programme)]:
        session.expire(known)


def create_many(
    session: Session,
    selected: str,
    moves: Collection[str],
    *,
    by: Actor,
    now: dt.datetime,
    values: Mapping[str, Any] | None = None,
) -> int:
    """Add many offers in one statement, each with its history.  Returns how many.  The caller counts the places.

    `selected` is a query, with its `values`, for the columns move (one of `moves`, which are some of `CREATING`),
    child_id, application_id, programme_id, year, round_id, run_id, rank, notice_code and answer_by.  An offer may begin in
    an answered state, if the family gave that answer before, for another place.  Refuses `move_not_for_this_role`.
    """
    steps = {name: OFFER_MOVES[name] for name in moves}
    for name, step in steps.items():
        step.require_role(by)
        if step.from_:
            raise ValueError(f"{name} does not create an offer")
    made = text(f"""
        WITH selected AS ({selected}), fresh AS (
            SELECT gen_random_uuid() AS id, selected.*, step.state
            FROM selected
            LEFT JOIN unnest(CAST(:moves AS text[]), CAST(:states AS text[])) AS step(move, state) USING (move)
        ), made AS (
            INSERT INTO offer (id, child_id, application_id, programme_id, year, round_id, run_id, rank, state,
                               notice_code, made_at, answer_by, answered_at)
            SELECT id, child_id, application_id, programme_id, year, round_id, run_id, rank, state, notice_code,
                   CAST(:move_at AS timestamptz), answer_by,
                   CASE WHEN state <> 'offered' THEN CAST(:move_at AS timestamptz) END
            FROM fresh
        )
        INSERT INTO offer_move (offer_id, move, before, after, account_id, at, reason)
        SELECT id, move, NULL, state, CAST(:move_by AS uuid), CAST(:move_at AS timestamptz), NULL FROM fresh
    """)  # noqa: S608 (the query is ours)
    given = {"moves": list(steps), "states": [step.to for step in steps.values()], **_given(by, now)}
    count = _run(session, made, {**(values or {}), **given})
    joint_decisions.void_overtaken(session, by=by, now=now)
    return count


def _given(by: Actor, now: dt.datetime) -> dict[str, Any]:
    return {"move_by": by.account_id, "move_at": now}


def _run(session: Session, statement: TextClause, values: Mapping[str, Any]) -> int:
    session.flush()
    changed = session.execute(statement, values).rowcount  # type: ignore[attr-defined]
    _expire_loaded(session)
    return changed


def _expire_loaded(session: Session) -> None:
    for known in [row for row in session.identity_map.values() if isinstance(row, Offer)]:
        session.expire(known)
