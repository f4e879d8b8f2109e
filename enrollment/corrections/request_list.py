"""The list of correction requests for an actor: open ones, those due soon, own and decided ones."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, Wish
from enrollment.corrections import decisions, effects, requests
from enrollment.ground.accounts import Actor
from enrollment.ground.signatures import Signature
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten, Page, paginate_rows
from enrollment.review.correction_rows import OPEN_CORRECTIONS, UNDECIDED, CorrectionMove, CorrectionRequest

FILTERS = ("open", "half", "due", "mine", "decided")
DUE_SOON = dt.timedelta(days=1)
PER_PAGE = 100


@dataclass(frozen=True)
class ListedRequest:
    """A line of the list.  `desk` is the name of the kindergarten or area that decides; None is the city."""

    request: CorrectionRequest
    registration_code: str | None
    desk: str | None


def listing(session: Session, *, show: str, by: Actor, now: dt.datetime, page: int = 1) -> Page:
    """The requests in the actor's scope under one of `FILTERS`, by due date; decided and own ones newest first."""
    undecided = CorrectionRequest.state.in_(UNDECIDED)
    conditions: dict[str, ColumnElement[bool]] = {
        "open": undecided,
        "half": past_half(now),
        "due": undecided & (CorrectionRequest.due_at <= now + DUE_SOON),
        "mine": _mine(by),
        "decided": ~undecided,
    }
    first = CorrectionRequest.decided_at.desc() if show in ("decided", "mine") else CorrectionRequest.due_at
    found = _rows(by).where(conditions.get(show, undecided)).order_by(first.nulls_first(), CorrectionRequest.id)
    listed = paginate_rows(session, found, page, PER_PAGE)
    return replace(listed, items=[ListedRequest(*row) for row in listed])


def undecided_of(session: Session, application: Application, *, by: Actor) -> list[CorrectionRequest]:
    """The undecided requests of an application that the guardian may read.

    The caller has checked access to the application.
    """
    if not OPEN_CORRECTIONS.of(session, application.id):  # as for nearly every family, without a statement
        return []
    listed = requests.of_application(session, application.id, by=by)
    return [each for each in listed if each.state in UNDECIDED]


def that_change_the_list(session: Session, round_id: uuid.UUID) -> int:
    """How many undecided requests of a round's participants would change its list, so that it would be frozen again."""
    of_round = select(Wish.application_id).where(Wish.round_id == round_id)
    waiting = select(CorrectionRequest).where(
        CorrectionRequest.state.in_(UNDECIDED), CorrectionRequest.application_id.in_(of_round)
    )
    return sum(effects.changes_the_market(request) for request in session.scalars(waiting))


def numbers_query(*, by: Actor, now: dt.datetime) -> Select[int, int]:
    """SELECT the numbers of undecided requests in the actor's scope, and of those whose time is half over."""
    counted = func.count().label("undecided"), func.count().filter(past_half(now)).label("past_half")
    return select(*counted).where(decisions.scope_condition(by), CorrectionRequest.state.in_(UNDECIDED))


def count_undecided(session: Session, *, by: Actor) -> int:
    """The number of undecided requests in the actor's scope."""
    waiting = select(func.count()).select_from(CorrectionRequest)
    return session.scalar(waiting.where(decisions.scope_condition(by), CorrectionRequest.state.in_(UNDECIDED))) or 0


def past_half(now: dt.datetime) -> ColumnElement[bool]:
    """SQL condition: undecided, and half of the time to decide is over."""
    passed, left = now - CorrectionRequest.requested_at, CorrectionRequest.due_at - now
    return and_(CorrectionRequest.state.in_(UNDECIDED), passed >= left)


def history_of(session: Session, request_id: uuid.UUID) -> list[CorrectionMove]:
    """The moves of a request, in their order."""
    moves = select(CorrectionMove).where(CorrectionMove.request_id == request_id)
    return list(session.scalars(moves.order_by(CorrectionMove.number)))


def _rows(by: Actor) -> Select[CorrectionRequest, str | None, str]:
    return (
        select(CorrectionRequest, Application.registration_code, func.coalesce(Kindergarten.name, Area.name))
        .join(Application, Application.id == CorrectionRequest.application_id)
        .outerjoin(Kindergarten, Kindergarten.id == CorrectionRequest.kindergarten_id)
        .outerjoin(Area, Area.code == CorrectionRequest.area_code)
        .where(decisions.scope_condition(by))
    )


def _mine(by: Actor) -> ColumnElement[bool]:
    """SQL condition: the actor requested, signed or decided it."""
    signed = select(Signature.subject_id).where(
        Signature.subject == decisions.SUBJECT, Signature.account_id == by.account_id
    )
    acted = select(CorrectionMove.request_id).where(CorrectionMove.account_id == by.account_id)
    return or_(CorrectionRequest.id.in_(signed), CorrectionRequest.id.in_(acted))
