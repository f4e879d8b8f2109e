"""All moves of an application in one table, and the one function that makes them.

There are no hooks: what else happens at a move is written in the verb that makes it, where a reader sees it.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BigInteger, ForeignKey, Identity, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications.application_rows import STAGES, Application
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.ground.db import Base
from enrollment.ground.errors import Refused

DRAFT, SUBMITTED, IN_REVIEW, RETURNED, CONFIRMED, REFUSED, WITHDRAWN = STAGES


@dataclass(frozen=True)
class Move:
    from_: frozenset[str]
    to: str
    by: str
    helped: bool = False
    """Whether a helper may make it on behalf of the parent."""


def _move(from_: set[str], to: str, by: str, *, helped: bool = False) -> Move:
    return Move(frozenset(from_), to, by, helped)


MOVES = {
    "submit": _move({DRAFT, RETURNED}, SUBMITTED, by="parent", helped=True),
    "edit": _move({SUBMITTED}, SUBMITTED, by="parent", helped=True),
    "edit_in_review": _move({IN_REVIEW, CONFIRMED}, SUBMITTED, by="parent", helped=True),
    "wish_again": _move({CONFIRMED}, CONFIRMED, by="parent", helped=True),
    "withdraw": _move({DRAFT, SUBMITTED, IN_REVIEW, RETURNED, CONFIRMED}, WITHDRAWN, by="parent"),
    "apply_again": _move({WITHDRAWN}, DRAFT, by="parent"),
    "take": _move({SUBMITTED}, IN_REVIEW, by="staff"),
    "release": _move({IN_REVIEW}, SUBMITTED, by="staff"),
    "send_back": _move({IN_REVIEW}, RETURNED, by="staff"),
    "confirm": _move({IN_REVIEW}, CONFIRMED, by="staff"),
    "refuse": _move({IN_REVIEW}, REFUSED, by="staff"),
    "reopen": _move({CONFIRMED, RETURNED}, SUBMITTED, by="official"),
}


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


def can(application: Application, move: str) -> bool:
    return application.stage in MOVES[move].from_


def make(
    session: Session, application: Application, move: str, *, by: Actor, now: dt.datetime, reason: str | None = None
) -> None:
    """Change the stage and write the history in the same breath.

    The caller holds the row's lock (`SELECT … FOR UPDATE`).  Refuses `move_not_possible` from any other stage, and
    `only_the_guardian` to a helper who may not make it.
    """
    if not MOVES[move].helped:
        require_oneself(by)
    if not can(application, move):
        raise Refused("move_not_possible", move=move, stage=application.stage)
    before, after = application.stage, MOVES[move].to
    application.stage = after
    if after != IN_REVIEW:
        application.reviewer_id = application.taken_at = None
    application.changed_at = now
    application.version += 1
    session.add(
        MoveMade(
            application_id=application.id,
            move=move,
            before=before,
            after=after,
            account_id=by.hand,
            at=now,
            reason=reason,
        )
    )
    audit.record(
        session, move, "application", application.id, by=by, now=now, reason=reason, before=before, after=after
    )
    session.flush()


def make_many(
    session: Session, application_ids: Collection[uuid.UUID], move: str, *, by: Actor, now: dt.datetime, **values
) -> list[uuid.UUID]:
    """The same move for many applications, in one statement for each table; returns those it moved.

    The caller holds the rows' locks.  An application in another stage is left as it is.  `values` set more columns.
    """
    step = MOVES[move]
    if step.to != IN_REVIEW:
        values |= {"reviewer_id": None, "taken_at": None}
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
    who = by.account_id
    made = [
        {"application_id": one, "move": move, "before": stage, "after": step.to, "account_id": who, "at": now}
        for one, stage in before.items()
    ]
    session.execute(insert(MoveMade), made)
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
