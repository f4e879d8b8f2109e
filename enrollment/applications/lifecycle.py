"""All moves of an application in one table, and the one function that makes them.

There are no hooks: other effects of a move are in the service function that makes it.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable

from sqlalchemy import BigInteger, ForeignKey, Identity, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications.application_rows import Application, Stage
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.bulk_copy import copy_rows
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused
from enrollment.ground.moves import Move
from enrollment.ground.reading.read_ahead import Read

HANDED_IN = (Stage.SUBMITTED, Stage.IN_REVIEW, Stage.RETURNED, Stage.CONFIRMED)
"""Handed in, not refused and not withdrawn."""

WITH_AUTHORITY = (Stage.SUBMITTED, Stage.IN_REVIEW, Stage.CONFIRMED)
"""Handed in and not sent back: a change by the family is an edit with its own receipt."""

AWAITING_DECISION = (Stage.SUBMITTED, Stage.IN_REVIEW)
"""The review is not finished.  A round can be frozen when no application with a wish in it has one of these stages."""

TAKES_PART = (Stage.CONFIRMED, Stage.RETURNED)
"""Reviewed, so part of the draw; facts of a returned application that have no finding count as declined."""

DECIDED = (Stage.CONFIRMED, Stage.REFUSED)
"""The review is finished."""

LIVE_STAGES = (Stage.DRAFT, *HANDED_IN)
DEAD_STAGES = (Stage.REFUSED, Stage.WITHDRAWN)

GONE_STAGES = (*DEAD_STAGES, Stage.DRAFT)
"""Of a frozen list: a draft in it was withdrawn since, and its family has begun it again for another round."""

_FAMILY = frozenset({Role.GUARDIAN})
_FAMILY_OR_HELPER = frozenset({Role.GUARDIAN, Role.HELPER})
_REVIEWERS = frozenset({Role.CLERK, Role.HEAD})
_OFFICIALS = frozenset({Role.AREA_OFFICIAL, Role.CITY_OFFICIAL})


def _move(from_: Iterable[Stage], to: Stage, by: frozenset[Role]) -> Move:
    return Move(frozenset(from_), to, by)


MOVES = {
    "submit": _move({Stage.DRAFT, Stage.RETURNED}, Stage.SUBMITTED, _FAMILY_OR_HELPER),
    "edit": _move({Stage.SUBMITTED}, Stage.SUBMITTED, _FAMILY_OR_HELPER),
    "edit_in_review": _move({Stage.IN_REVIEW, Stage.CONFIRMED}, Stage.SUBMITTED, _FAMILY_OR_HELPER),
    "wish_again": _move({Stage.CONFIRMED}, Stage.CONFIRMED, _FAMILY_OR_HELPER),
    "withdraw": _move(LIVE_STAGES, Stage.WITHDRAWN, _FAMILY),
    "apply_again": _move({Stage.WITHDRAWN}, Stage.DRAFT, _FAMILY),
    "take": _move({Stage.SUBMITTED}, Stage.IN_REVIEW, _REVIEWERS),
    "release": _move({Stage.IN_REVIEW}, Stage.SUBMITTED, _REVIEWERS | _OFFICIALS),
    "send_back": _move({Stage.IN_REVIEW}, Stage.RETURNED, _REVIEWERS),
    "take_return_back": _move({Stage.RETURNED}, Stage.SUBMITTED, _REVIEWERS),
    "confirm": _move({Stage.IN_REVIEW}, Stage.CONFIRMED, _REVIEWERS),
    "refuse": _move({Stage.IN_REVIEW}, Stage.REFUSED, _OFFICIALS | {Role.HEAD}),
    "refuse_duplicate": _move(LIVE_STAGES, Stage.REFUSED, _OFFICIALS | {Role.HEAD}),
    "reinstate": _move({Stage.REFUSED}, Stage.SUBMITTED, _OFFICIALS),
    "reinstate_draft": _move({Stage.REFUSED}, Stage.DRAFT, _OFFICIALS),
    "reopen": _move({Stage.CONFIRMED, Stage.RETURNED}, Stage.SUBMITTED, _REVIEWERS | _OFFICIALS),
}


ANSWERED_ANEW = frozenset({"submit", "edit", "edit_in_review"})
"""The moves after which earlier answers of registers are about other data."""


class MoveMade(Base):
    """The history of an application: one row for each move, in order of `number`."""

    __tablename__ = "move_made"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    application_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("application.id"), index=True)
    move: Mapped[str]
    before: Mapped[str]
    after: Mapped[str]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]
    reason: Mapped[str | None]


COPIED = ("application_id", "move", "before", "after", "account_id", "at")
"""The columns of a move that is written with many others."""

MOVES_MADE = Read(MoveMade, MoveMade.application_id)
"""The history of an application."""


def can(application: Application, move: str) -> bool:
    """Whether the move is possible from the application's stage, whoever makes it."""
    return application.stage in MOVES[move].from_


def withdrew_since(session: Session, application: Application, since: dt.datetime) -> bool:
    """Whether the application is out, or was withdrawn at that time or later and begun again: what was given to it or taken
    from it before is no longer its own."""
    if application.stage in GONE_STAGES:
        return True
    return any(each.move == "withdraw" and each.at >= since for each in MOVES_MADE.of(session, application.id))


def make(
    session: Session, application: Application, move: str, *, by: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    """Change the stage and write the history in the same transaction.

    The caller holds the row's lock (`SELECT … FOR UPDATE`), and has checked that the application is in this actor's
    scope.  Refuses `move_not_for_this_role` for a role that the table does not list, and `move_not_possible` from any
    other stage.
    """
    MOVES[move].require_role(by)
    if not can(application, move):
        raise Refused("move_not_possible", move=move, stage=application.stage)
    before, after = application.stage, MOVES[move].to
    application.stage = after
    if after != Stage.IN_REVIEW:
        application.reviewer_id = application.taken_at = application.lease_until = None
    if after == Stage.RETURNED:
        application.returned_at = now
    if after in DECIDED:
        application.decided_at = now
    if move in ANSWERED_ANEW:
        application.register_state = None
    application.changed_at = now
    application.version += 1
    session.add(
        MoveMade(
            application_id=application.id,
            move=move,
            before=before,
            after=after,
            account_id=by.acting_account_id,
            at=now,
            reason=reason,
        )
    )
    audit.record(
        session, move, "application", application.id, by=by, now=now, reason=reason, before=before, after=after
    )
    session.flush()


NEXT_VERSION = "UPDATE application SET version = application.version + 1, changed_at = %(now)s"
"""A change of a draft's answers, which makes no move, as the beginning of a larger statement."""


def sql_of(move: str, before: Stage) -> tuple[str, str]:
    """A move as parts of a larger statement: the change of an application, and its history from the CTE `moved`.

    The first part ends in its SET list, so that the caller adds columns and the condition, among it the stage `before`.
    Parameters are `now` and `account`.  Raises ValueError for a move that is not possible from `before`, and for one
    to a stage of the review.  The caller has looked at the actor's role, and writes the audit entry.
    """
    after = MOVES[move].to
    if before not in MOVES[move].from_ or after in (Stage.IN_REVIEW, Stage.RETURNED, *DECIDED):
        raise ValueError(f"{move} from {before}")
    change = f"""UPDATE application SET stage = '{after}', version = application.version + 1, changed_at = %(now)s,
            reviewer_id = NULL, taken_at = NULL, lease_until = NULL"""  # noqa: S608 (constants)
    if move in ANSWERED_ANEW:
        change += ", register_state = NULL"
    history = f"""INSERT INTO move_made (application_id, move, before, after, account_id, at)
        SELECT id, '{move}', '{before}', '{after}', %(account)s, %(now)s FROM moved"""  # noqa: S608 (constants)
    return change, history


def make_many(
    session: Session, application_ids: Collection[uuid.UUID], move: str, *, by: Actor, now: dt.datetime, **values
) -> list[uuid.UUID]:
    """Make one move for many applications, in one statement for each table.  Returns the ids of those it moved.

    The caller holds the rows' locks.  An application in another stage is left as it is.  `values` set more columns.
    Refuses `move_not_for_this_role`, as `make` does.
    """
    step = MOVES[move]
    step.require_role(by)
    if step.to != Stage.IN_REVIEW:
        values |= {"reviewer_id": None, "taken_at": None, "lease_until": None}
    if step.to in DECIDED:
        values["decided_at"] = now
    befores = select(Application.id, Application.stage).where(Application.id.in_(application_ids))
    before = {row.id: row.stage for row in session.execute(befores) if row.stage in step.from_}
    if not before:
        return []
    session.execute(
        update(Application)
        .where(Application.id.in_(before))
        .values(stage=step.to, changed_at=now, version=Application.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    who = by.acting_account_id
    made = ((one, move, stage, step.to, who, now) for one, stage in before.items())
    copy_rows(session, MoveMade.__tablename__, COPIED, made)
    audit.record_many(
        session,
        move,
        "application",
        {one: {"before": stage, "after": step.to} for one, stage in before.items()},
        by=by,
        now=now,
    )
    for application in list(session.identity_map.values()):
        if isinstance(application, Application) and application.id in before:
            session.expire(application)
    return list(before)
