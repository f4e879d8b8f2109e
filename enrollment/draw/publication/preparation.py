"""Preparation of a signed run, in batches: its offers with the codes of their notices, and the messages to the families.

A batch can be repeated, and each is one transaction of the worker, so that a killed worker loses the batches that it has in hand.
What is prepared is compared with the facts of the hour before it is opened (`opening`).
"""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Stage
from enrollment.applications.lifecycle import GONE_STAGES
from enrollment.applications.notifications import messages_query
from enrollment.draw import draw_jobs
from enrollment.draw.draw_jobs import Progress, Transaction
from enrollment.draw.publication.hours import enqueue_opening, publication_of
from enrollment.draw.publication.result_contents import prepare_results
from enrollment.draw.publication.rows import NOTICE_CODE, PreparedNotice, PreparedOffer, PreparedResult
from enrollment.draw.run_rows import Placement, Run, RunState
from enrollment.ground import bulk_copy
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.ground.random_codes import notice_codes
from enrollment.ground.vault import row_name, seal
from enrollment.offers.offer_rows import LIVE
from enrollment.season.round_rows import Round, RoundKind

BATCH = 4000
"""Children in one batch."""

AT_ONCE = 2
"""Batches that are prepared at once: while Python puts one together, PostgreSQL writes the rows of another."""

Part = tuple[uuid.UUID | None, uuid.UUID | None]
"""A batch: the applications after the first id, up to the second with it; None where there is no end."""

STEPS = ("preparing", "sealed")
"""The steps of a preparation, as its progress reports them."""

_LIVE = "('" + "','".join(LIVE) + "')"

MOVES = f"""
    SELECT placement.application_id, application.child_id, application.child_code, now.stage,
           placement.programme_id, placement.rank,
           offer.id AS held_id, offer.programme_id AS held_at, offer.state AS held_state,
           placement.programme_id IS NOT NULL AND placement.programme_id IS DISTINCT FROM offer.programme_id
               AND now.stage <> ALL(:gone) AND (application.agrees_to_central OR NOT :central) AS moves
    FROM placement
    JOIN application ON application.id = placement.application_id
    JOIN run ON run.id = placement.run_id
    JOIN snapshot ON snapshot.id = run.snapshot_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN application.submitted_at >= snapshot.made_at AND (
            SELECT max(at) FROM move_made WHERE application_id = application.id AND move = 'withdraw') >= snapshot.made_at
        THEN '{Stage.WITHDRAWN}' ELSE application.stage END AS stage) AS now
    LEFT JOIN offer ON offer.application_id = placement.application_id AND offer.state IN {_LIVE}
    WHERE placement.run_id = :run
"""  # noqa: S608 (the states are ours)
"""Each child of a run with its placement and its live offer; `moves` where the run gives it a new place.

A child that was withdrawn since the list was frozen counts as withdrawn, also if its family has handed it in again for a later
round.  A family that has refused central placement since the proposal gets none.  The values are those of `move_values`.
"""

MOVE_NAME = """CASE WHEN held_id IS NULL OR held_state = 'offered' THEN :first_move
                    WHEN held_state = 'confirmed_waiting' AND rank > 1 THEN 'move_up_and_wait'
                    ELSE 'move_up' END"""
"""The move of an offer.  A family that confirmed a place and waits for a better one is moved without a new question."""


def move_values(run: Run, round_: Round) -> dict[str, Any]:
    return {"run": run.id, "gone": list(GONE_STAGES), "central": round_.kind == RoundKind.CENTRAL}


def first_move(round_: Round) -> str:
    """The move of an offer to a child that holds no place, or has not answered yet."""
    return "place_centrally" if round_.kind == RoundKind.CENTRAL else "offer"


def message_kinds(round_: Round, run: Run) -> dict[str, str]:
    """For each kind of message the condition on a row of `MOVES`.

    After a first run of a round with wishes everybody who still takes part is notified; otherwise those who get a place.
    """
    if round_.kind == RoundKind.CENTRAL:
        return {"central_offered": "moves"}
    if run.replays is None:
        return {"result_published": "stage <> ALL(:gone)"}
    return {
        "place_offered": f"moves AND {MOVE_NAME} = :first_move",
        "moved_up": f"moves AND {MOVE_NAME} <> :first_move",
    }


def children(session: Session, run_id: uuid.UUID) -> int:
    """How many children took part in a run."""
    return session.scalar(select(func.count()).where(Placement.run_id == run_id)) or 0


def parts(session: Session, run_id: uuid.UUID) -> list[Part]:
    """The batches of a run, at least one."""
    numbered = (
        select(
            Placement.application_id.label("id"), func.row_number().over(order_by=Placement.application_id).label("n")
        )
        .where(Placement.run_id == run_id)
        .subquery()
    )
    ends = (numbered.c.n % BATCH == 0) & (numbered.c.n < children(session, run_id))
    last = list(session.scalars(select(numbered.c.id).where(ends).order_by(numbered.c.id)))
    return list(zip([None, *last], [*last, None], strict=True))


def children_of(session: Session, run_id: uuid.UUID, part: Part) -> list[uuid.UUID]:
    """The applications of a batch, in their order."""
    after, last = part
    found = select(Placement.application_id).where(Placement.run_id == run_id)
    if after is not None:
        found = found.where(Placement.application_id > after)
    if last is not None:
        found = found.where(Placement.application_id <= last)
    return list(session.scalars(found.order_by(Placement.application_id)))


def prepare(
    transaction: Transaction,
    run_id: uuid.UUID,
    *,
    by: Callable[[Session], Actor],
    progress: Progress = draw_jobs.no_progress,
) -> None:
    """Prepare all batches of a run, some of them at once, each in a `transaction` of its own.  `by` as for `prepare_part`."""
    with transaction() as session:
        waiting = parts(session, run_id)

    def prepare_one(part: Part) -> None:
        with transaction() as session:
            prepare_part(session, run_id, part, by=by(session))

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="preparation") as lanes:
        for done, _ in enumerate(lanes.map(prepare_one, waiting), start=1):
            progress(done, len(waiting) + 1, STEPS[0])


def prepare_part(session: Session, run_id: uuid.UUID, part: Part, *, by: Actor) -> None:
    """Prepare the children of a batch.

    `by` is named in the messages as the office that decided.  Refuses `run_is_over` for a run that does not wait.
    """
    run = session.get_one(Run, run_id, populate_existing=True)
    if run.state != RunState.SIGNED:
        raise Refused("run_is_over", state=run.state)
    ids = children_of(session, run_id, part)
    if ids:
        prepare_children(session, run, ids, by=by)


def prepare_children(session: Session, run: Run, ids: list[uuid.UUID], *, by: Actor) -> None:
    """Prepare these children of the run; what is prepared already stays."""
    round_ = session.get_one(Round, run.round_id)
    moves = f"SELECT * FROM ({MOVES}) AS every WHERE application_id = ANY(:ids)"  # noqa: S608 (our own query)
    values = {"ids": ids, **move_values(run, round_)}
    codes = (
        (application_id, seal(code, NOTICE_CODE, row_name(run.id, application_id)))
        for application_id, code in zip(ids, notice_codes(len(ids)), strict=True)
    )
    bulk_copy.copy_to_temporary_table(session, "prepared_code", {"application_id": "uuid", "code": "bytea"}, codes)
    offers = text(f"""
        INSERT INTO prepared_offer (run_id, application_id, programme_id, notice_code)
        SELECT :run, application_id, programme_id, code
        FROM ({moves}) AS move JOIN prepared_code USING (application_id)
        WHERE moves
        ON CONFLICT (run_id, application_id) DO NOTHING
    """)  # noqa: S608 (our own query)
    session.execute(offers, values)
    values["first_move"] = first_move(round_)
    for kind, condition in message_kinds(round_, run).items():
        write_notices(session, run, kind, f"SELECT * FROM ({moves}) AS move WHERE {condition}", values, by)  # noqa: S608
    if run.replays is None and round_.kind != RoundKind.CENTRAL:
        prepare_results(session, run, ids)


def write_notices(session: Session, run: Run, kind: str, moves: str, values: dict[str, Any], by: Actor) -> None:
    """Prepare the messages of this kind about the rows of `moves`."""
    event = f"SELECT child_id, application_id, '{kind}:' || :run AS event, CAST('{{}}' AS jsonb) AS params FROM ({moves}) AS told"  # noqa: S608
    selected, who = messages_query(kind, event, by)
    statement = f"""
        INSERT INTO prepared_notice (run_id, key, kind, account_id, child_id, application_id, params)
        SELECT :run, key, kind, account_id, child_id, application_id, params FROM ({selected}) AS message
        ON CONFLICT (key) DO NOTHING
    """  # noqa: S608 (our own query)
    session.execute(text(statement), {**values, **who})


def finish(session: Session, run_id: uuid.UUID, *, now: dt.datetime) -> int:
    """Say that everything is prepared, and enqueue the opening.  Returns how many offers wait for the hour."""
    run = session.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    waiting = publication_of(session, run_id, lock=True)
    if run.state != RunState.SIGNED or waiting is None:
        raise Refused("run_is_over", state=run.state)
    waiting.prepared_at = now
    session.flush()
    enqueue_opening(session, run_id, waiting.hour, now=now)
    return session.scalar(select(func.count()).where(PreparedOffer.run_id == run_id)) or 0


def clear(session: Session, run_id: uuid.UUID) -> None:
    """Delete the prepared rows of a run that was opened or set aside; results are kept as long as the run is the newest."""
    for table in (PreparedOffer, PreparedNotice):
        session.execute(delete(table).where(table.run_id == run_id))
    over = select(Run.id).where(Run.state.not_in((RunState.SIGNED, RunState.PUBLISHED)))
    session.execute(delete(PreparedResult).where(PreparedResult.run_id.in_(over)))
