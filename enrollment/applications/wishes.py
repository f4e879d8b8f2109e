"""Wishes 志愿: which programmes a family wants in a round, the most wanted first."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrollment.applications import edits, units
from enrollment.applications.applications import Application, Stage, Wish
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.places.programmes import Programme
from enrollment.season.round_rows import RoundKind, RoundStage
from enrollment.season.rounds import Round, RoundProgramme


def of(session: Session, application_id: uuid.UUID, round_id: uuid.UUID) -> list[Wish]:
    """The wishes of an application in a round, first to last."""
    mine = select(Wish).where(Wish.application_id == application_id, Wish.round_id == round_id)
    return list(session.scalars(mine.order_by(Wish.rank)))


def set_wishes(
    session: Session,
    application_id: uuid.UUID,
    round_id: uuid.UUID,
    programme_ids: Sequence[uuid.UUID],
    *,
    version: int | None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Let the wishes in a round be exactly these, in this order; for bound children all together.

    Refuses, all on the field `wishes`: `round_not_open`, `wish_twice`, `too_many_wishes`, `wish_not_in_round`.
    """
    units.lock_families(session, [application_id])
    application = edits.begin(session, application_id, by=by, now=now, version=version)
    round_ = _open_round(session, application, round_id, now)
    if len(set(programme_ids)) < len(programme_ids):
        raise Refused("wish_twice", field="wishes")
    if len(programme_ids) > round_.max_wishes:
        raise Refused("too_many_wishes", field="wishes", most=round_.max_wishes)
    _require_in_round(session, application, round_id, programme_ids)
    for member in units.of(session, application):
        if member.id != application.id:
            member = edits.begin(session, member.id, by=by, now=now)
        write(session, member, round_id, programme_ids)
        audit.record(session, "wish", "application", member.id, by=by, now=now, wishes=len(programme_ids))
        edits.keep(session, member, by=by, now=now, move=_move(member, round_))


def _move(application: Application, round_: Round) -> str | None:
    """New wishes for a later round leave a confirmed application confirmed: its facts are verified for all wishes."""
    return "wish_again" if round_.kind != RoundKind.MAIN and application.stage == Stage.CONFIRMED else None


def write(session: Session, application: Application, round_id: uuid.UUID, programme_ids: Sequence[uuid.UUID]) -> None:
    """Replace the rows.  The callers have checked what they write."""
    session.execute(delete(Wish).where(Wish.application_id == application.id, Wish.round_id == round_id))
    session.flush()
    for rank, programme_id in enumerate(programme_ids, start=1):
        session.add(Wish(application_id=application.id, round_id=round_id, rank=rank, programme_id=programme_id))
    session.flush()
    session.expire(application, ["wishes"])


def _open_round(session: Session, application: Application, round_id: uuid.UUID, now: dt.datetime) -> Round:
    round_ = session.get(Round, round_id)
    if round_ is None or round_.year != application.year or application.level not in round_.levels:
        raise Refused("round_not_open", field="wishes")
    if round_.stage != RoundStage.OPEN or not round_.opens_at <= now < round_.closes_at:
        raise Refused("round_not_open", field="wishes")
    return round_


def _require_in_round(
    session: Session, application: Application, round_id: uuid.UUID, programme_ids: Sequence[uuid.UUID]
) -> None:
    offered = (
        select(Programme.id)
        .join(RoundProgramme, RoundProgramme.programme_id == Programme.id)
        .where(
            RoundProgramme.round_id == round_id,
            Programme.level == application.level,
            Programme.id.in_(programme_ids),
        )
    )
    if len(set(session.scalars(offered))) < len(set(programme_ids)):
        raise Refused("wish_not_in_round", field="wishes")
