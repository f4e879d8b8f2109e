"""A family that moves with several children files once: one form, and a request for each child who moves.

Each child keeps a request of its own, because another kindergarten may review it and its facts may differ: what the form
changes beside the home (hukou, permit, ownership) changes for a sibling only where it stood as it stood for the first child.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications, units
from enrollment.applications.application_rows import Application
from enrollment.corrections import home_moves, requests
from enrollment.corrections.corrected_values import Values
from enrollment.eligibility import households
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.review.correction_rows import OPEN_CORRECTIONS, CorrectionKind, CorrectionRequest


def siblings(session: Session, application: Application, *, by: Actor, now: dt.datetime) -> list[Application]:
    """The other children of the family in this person's care who live in the same home and can move with this child."""
    home = _home(session, application)
    return [
        each
        for each in applications.of_family(session, application, by=by)
        if each.id != application.id and _home(session, each) == home and _can_move(session, each, now)
    ]


def request(
    session: Session,
    application_id: uuid.UUID,
    together: Collection[uuid.UUID],
    typed: Mapping[str, Any],
    *,
    statement: str,
    papers: Iterable[bytes],
    by: Actor,
    now: dt.datetime,
) -> list[CorrectionRequest]:
    """File the move of a child and of the siblings `together`, all or none; the request of the child comes first.

    Refuses `sibling_cannot_move` for another child than `siblings` names, and what `requests.request_by_family` refuses.
    """
    application = applications.own(session, application_id, by=by)
    units.lock_families(session, [application_id])
    movable = {each.id: each for each in siblings(session, application, by=by, now=now)}
    if not set(together) <= movable.keys():
        raise Refused("sibling_cannot_move", field="together")
    contents = list(papers)
    first = home_moves.of_household(households.household_of(session, application_id))
    filed = []
    for each in (application, *(movable[one] for one in sorted(set(together)))):
        said = _of_child(typed, first, home_moves.of_household(households.household_of(session, each.id)))
        filed.append(
            requests.request_by_family(
                session, each.id, CorrectionKind.MOVE, said, statement=statement, papers=contents, by=by, now=now
            )
        )
    return filed


def together_with(session: Session, request: CorrectionRequest) -> list[tuple[CorrectionRequest, Application]]:
    """The requests that were filed in the same act for siblings, each with its application."""
    if request.kind != CorrectionKind.MOVE:
        return []
    own = session.get_one(Application, request.application_id)
    same = (
        select(CorrectionRequest, Application)
        .join(Application, Application.id == CorrectionRequest.application_id)
        .where(
            CorrectionRequest.id != request.id,
            CorrectionRequest.kind == CorrectionKind.MOVE,
            CorrectionRequest.requested_by == request.requested_by,
            CorrectionRequest.requested_at == request.requested_at,
            Application.family_code == own.family_code,
        )
    )
    return [(row[0], row[1]) for row in session.execute(same.order_by(Application.registration_code))]


def _home(session: Session, application: Application) -> Values | None:
    household = households.household_of(session, application.id)
    return None if household is None else {column: getattr(household, column) for column in home_moves.HOME}


def _can_move(session: Session, application: Application, now: dt.datetime) -> bool:
    if any(each.kind == CorrectionKind.MOVE for each in OPEN_CORRECTIONS.of(session, application.id)):
        return False
    try:
        requests.require_possible(session, application, CorrectionKind.MOVE, now=now)
    except Refused:
        return False
    return True


def _of_child(typed: Mapping[str, Any], first: Values, own: Values) -> Mapping[str, Any]:
    """What the form says of this child: its own hukou, permit and ownership where they differ from the first child's."""
    kept = {
        column: own[column]
        for column in home_moves.COLUMNS
        if column not in home_moves.HOME and own[column] != first[column]
    }
    return {**typed, **kept}
