"""Wishes 志愿: which programmes a family wants in a round, the most wanted first."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from enrollment.applications import edits, units
from enrollment.applications.application_rows import WISHES
from enrollment.applications.applications import Application, Stage, Wish
from enrollment.applications.lifecycle import HANDED_IN, MoveMade
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten, admits_in
from enrollment.places.programmes import Programme
from enrollment.season.round_rows import RoundKind, RoundStage
from enrollment.season.rounds import Round, RoundProgramme

STILL_CHANGING = (RoundStage.PLANNED, RoundStage.OPEN, RoundStage.CLOSED)
"""Stages of a round whose lists are not frozen.  Bound children have one list in such a round."""


def of(session: Session, application_id: uuid.UUID, round_id: uuid.UUID) -> list[Wish]:
    """The wishes of an application in a round, first to last."""
    mine = (wish for wish in WISHES.of(session, application_id) if wish.round_id == round_id)
    return sorted(mine, key=lambda wish: wish.rank)


def set_wishes(
    session: Session,
    application_id: uuid.UUID,
    round_id: uuid.UUID,
    programme_ids: Sequence[uuid.UUID],
    *,
    version: int | None,
    seen: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Replace the wishes in a round by these, in this order; for bound children the wishes of all members.

    `seen` is the `units.stamp` of the bound children on the page that the family filled in.
    Refuses, all on the field `wishes`: `round_not_open`, `wish_twice`, `too_many_wishes`, `wish_not_in_round`, `wish_is_closed` (with `name`),
    `bound_beyond_your_care`; `one_wish_needed` if a handed-in application would have none left.  Raises Stale when one of the bound children changed since the page was rendered.
    """
    units.lock_families(session, [application_id])
    application = edits.begin(session, application_id, by=by, now=now, version=version)
    members = units.of(session, application)
    units.require_care(session, members, by=by)
    for member in members:
        if member.id != application.id:
            edits.begin(session, member.id, by=by, now=now)
    units.require_stamp(members, seen)
    round_ = _open_round(session, application, round_id, now)
    if len(set(programme_ids)) < len(programme_ids):
        raise Refused("wish_twice", field="wishes")
    if len(programme_ids) > round_.max_wishes:
        raise Refused("too_many_wishes", field="wishes", most=round_.max_wishes)
    _require_in_round(session, application, round_id, programme_ids)
    if not programme_ids and any(_needs_a_wish(session, each, round_) for each in members):
        raise Refused("one_wish_needed", field="wishes")
    for member in members:
        write(session, member, round_id, programme_ids)
        audit.record(session, "wish", "application", member.id, by=by, now=now, wishes=len(programme_ids))
    edits.keep_all(session, members, by=by, now=now, moves=moves(members, round_))


def _needs_a_wish(session: Session, application: Application, round_: Round) -> bool:
    """Whether a handed-in application would take part in nothing without a wish in this round: it has none in another one, or
    was handed in during this one, so that what it wished before was never handed in.
    """
    if application.stage not in HANDED_IN:
        return False
    others = select(Wish.rank).where(Wish.application_id == application.id, Wish.round_id != round_.id).limit(1)
    if session.scalar(others) is None:
        return True
    drafts = (MoveMade.application_id == application.id, MoveMade.move == "submit", MoveMade.before == Stage.DRAFT)
    handed_in_at = session.scalar(select(func.max(MoveMade.at)).where(*drafts))
    return handed_in_at is not None and handed_in_at >= round_.opens_at


def moves(members: Sequence[Application], round_: Round) -> dict[uuid.UUID, str]:
    """The move for confirmed members with new wishes in a later round: they stay confirmed, as their facts are verified."""
    if round_.kind == RoundKind.MAIN:
        return {}
    return {member.id: "wish_again" for member in members if member.stage == Stage.CONFIRMED}


def lists(session: Session, applications: Sequence[Application]) -> dict[uuid.UUID, dict[uuid.UUID, list[uuid.UUID]]]:
    """For each application: the programmes by round, first wish first, in the rounds that are not frozen yet."""
    found: dict[uuid.UUID, dict[uuid.UUID, list[uuid.UUID]]] = {each.id: {} for each in applications}
    rows = (
        select(Wish.application_id, Wish.round_id, Wish.programme_id)
        .join(Round, Round.id == Wish.round_id)
        .where(Wish.application_id.in_(found), Round.stage.in_(STILL_CHANGING))
    )
    for application_id, round_id, programme_id in session.execute(rows.order_by(Wish.round_id, Wish.rank)):
        found[application_id].setdefault(round_id, []).append(programme_id)
    return found


def write(session: Session, application: Application, round_id: uuid.UUID, programme_ids: Sequence[uuid.UUID]) -> None:
    """Replace the rows.  The callers have validated the programmes."""
    session.execute(delete(Wish).where(Wish.application_id == application.id, Wish.round_id == round_id))
    session.flush()
    for rank, programme_id in enumerate(programme_ids, start=1):
        session.add(Wish(application_id=application.id, round_id=round_id, rank=rank, programme_id=programme_id))
    session.flush()
    session.expire(application, ["wishes"])


@dataclass(frozen=True)
class CarriedWish:
    """A wish of the former level; `programme_id` is that of the new level at the same kindergarten, None if it has none."""

    round_id: uuid.UUID
    kindergarten: str
    programme_id: uuid.UUID | None


def carried(session: Session, application: Application, level: str) -> list[CarriedWish]:
    """The wishes in rounds without a published result, in their order, with what becomes of each at the other level."""
    rows = session.execute(
        select(Wish.round_id, Kindergarten.id, Kindergarten.name)
        .join(Round, Round.id == Wish.round_id)
        .join(Programme, Programme.id == Wish.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Wish.application_id == application.id, Round.stage != RoundStage.PUBLISHED)
        .order_by(Wish.round_id, Wish.rank)
    ).all()
    offered = select(RoundProgramme.round_id, Programme.kindergarten_id, Programme.id).join(
        Programme, Programme.id == RoundProgramme.programme_id
    )
    here = offered.where(Programme.level == level, RoundProgramme.round_id.in_({row.round_id for row in rows}))
    there = {(round_id, kindergarten_id): found for round_id, kindergarten_id, found in session.execute(here)}
    return [CarriedWish(round_id, name, there.get((round_id, place))) for round_id, place, name in rows]


def carry(session: Session, application: Application, level: str, round_ids: Iterable[uuid.UUID]) -> None:
    """Change the level, with the wishes of these rounds, which are not published and cannot be frozen meanwhile."""
    listed = carried(session, application, level)
    for round_id in round_ids:
        kept = [each.programme_id for each in listed if each.round_id == round_id and each.programme_id is not None]
        write(session, application, round_id, kept)
    application.level = level
    application.elder_id = None


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
    closing = (
        select(Kindergarten.name)
        .join(Programme, Programme.kindergarten_id == Kindergarten.id)
        .where(Programme.id.in_(programme_ids), ~admits_in(Programme.year))
        .order_by(Kindergarten.sort_key)
    )
    closed = session.scalars(closing).first()
    if closed is not None:
        raise Refused("wish_is_closed", field="wishes", name=closed)
