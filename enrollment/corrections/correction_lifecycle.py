"""All moves of a correction request in one table, and the one function that makes them."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import Refused
from enrollment.ground.moves import Move
from enrollment.review.correction_rows import UNDECIDED, CorrectionMove, CorrectionRequest, CorrectionState

_FAMILY = frozenset({Role.GUARDIAN, Role.HELPER})
_DESK = frozenset({Role.CLERK, Role.HEAD, Role.AREA_OFFICIAL, Role.CITY_OFFICIAL})
_CLOCK = frozenset({Role.SYSTEM})


def _move(from_: Iterable[CorrectionState], to: CorrectionState, by: frozenset[Role]) -> Move:
    return Move(frozenset(from_), to, by)


CORRECTION_MOVES = {
    "request": _move((), CorrectionState.OPEN, _FAMILY | _DESK),
    "sign": _move(UNDECIDED, CorrectionState.SIGNED, _DESK),
    "apply": _move(UNDECIDED, CorrectionState.APPLIED, _DESK),
    "refuse": _move(UNDECIDED, CorrectionState.REFUSED, _DESK),
    "withdraw": _move(UNDECIDED, CorrectionState.WITHDRAWN, _FAMILY),
    "escalate": _move((CorrectionState.OPEN,), CorrectionState.OPEN, _CLOCK),
    "escalate_signed": _move((CorrectionState.SIGNED,), CorrectionState.SIGNED, _CLOCK),
}
"""The first creates a request; the others change one.  The clock hands an overdue one to the next office, in its state."""


def create(session: Session, request: CorrectionRequest, *, by: Actor, now: dt.datetime) -> None:
    """Add a new request and begin its history.  Refuses `move_not_for_this_role`."""
    step = CORRECTION_MOVES["request"]
    step.require_role(by)
    request.state = step.to
    session.add(request)
    session.flush()
    _write_history(session, request, "request", None, by=by, now=now)


def make(session: Session, request: CorrectionRequest, move: str, *, by: Actor, now: dt.datetime) -> None:
    """Change the state and write the history.  The caller holds the request's lock.

    Refuses `move_not_for_this_role` for a role that the table does not list, and `decided_already` from any other state.
    """
    step = CORRECTION_MOVES[move]
    step.require_role(by)
    if request.state not in step.from_:
        raise Refused("decided_already")
    before, request.state = request.state, step.to
    if step.to not in UNDECIDED:
        request.decided_at = now
    request.version += 1
    session.flush()
    _write_history(session, request, move, before, by=by, now=now)


def _write_history(
    session: Session, request: CorrectionRequest, move: str, before: str | None, *, by: Actor, now: dt.datetime
) -> None:
    session.add(
        CorrectionMove(
            request_id=request.id,
            application_id=request.application_id,
            move=move,
            before=before,
            after=request.state,
            account_id=by.acting_account_id,
            at=now,
        )
    )
    act = f"{move}_correction"
    audit.record(session, act, "correction_request", request.id, by=by, now=now, kind=request.kind)
    session.flush()
