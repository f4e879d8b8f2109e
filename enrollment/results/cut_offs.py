"""Published cut-offs 录取线 as everybody may read them: what would point to a few children is not told."""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, select
from sqlalchemy.orm import Session

from enrollment.draw.run_rows import CutOff, Run
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Pool, Programme
from enrollment.season.rounds import Round

FEW = 5
"""Of runs without a public file, a line that 1 to 5 children reached is not told."""


class LineState(StrEnum):
    """What everybody may know of the cut-off of one pool, or of several of a programme together."""

    ALL = "all"
    NONE = "none"
    LINE = "line"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class PublicLine:
    """The cut-off of a pool or, where `pools` is more than 1, of pools that are only counted together.

    `pool` is its name, None for the places that are open to all and for several pools.  `tier` and `ticket` are None where
    the line is hidden.
    """

    level: str
    pool: str | None
    pools: int
    places: int
    filled: int
    state: LineState
    eligible: int | None
    tier: int | None
    ticket: int | None


def public_lines(*conditions: ColumnElement[bool]) -> Select:
    """One row for each block of a run's public file, as columns for `line_of` and more that the caller adds.

    The rows of runs before there were public files are counted together for each programme, and told where it has one
    pool and not few children.
    """
    shown = case(
        (CutOff.block.is_not(None), func.bool_and(CutOff.line_public)),
        else_=and_(func.count() == 1, ~func.sum(CutOff.filled).between(1, FEW)),
    )
    alone = case(
        (CutOff.line_public.is_(True), CutOff.pool), else_=func.coalesce(literal("block ") + CutOff.block, "old")
    )
    return (
        select(
            Programme.level.label("level"),
            func.count().label("pools"),
            func.sum(CutOff.places).label("places"),
            func.sum(CutOff.filled).label("filled"),
            shown.label("shown"),
            func.min(Pool.name).label("pool"),
            func.min(CutOff.state).label("state"),
            func.min(CutOff.eligible).label("eligible"),
            func.min(CutOff.tier).label("tier"),
            func.min(CutOff.ticket).label("ticket"),
        )
        .select_from(CutOff)
        .join(Programme, Programme.id == CutOff.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(Pool, (Pool.programme_id == CutOff.programme_id) & (Pool.code == CutOff.pool))
        .where(*conditions)
        .group_by(CutOff.run_id, Programme.id, CutOff.block, alone)
    )


IN_ORDER = (Programme.level, func.min(Pool.precedence).nulls_last(), func.min(CutOff.pool))
"""Levels, and pools in their order of precedence."""


def line_of(row: Row) -> PublicLine:
    shown = row.shown and row.pools == 1
    return PublicLine(
        level=row.level,
        pool=row.pool if row.pools == 1 else None,
        pools=row.pools,
        places=int(row.places),
        filled=int(row.filled),
        state=LineState(row.state) if shown else LineState.HIDDEN,
        eligible=row.eligible if shown else None,
        tier=row.tier if shown else None,
        ticket=row.ticket if shown else None,
    )


@dataclass(frozen=True)
class KindergartenCutOff:
    """A cut-off of a kindergarten in a published round."""

    year: int
    round_id: uuid.UUID
    round: str
    line: PublicLine


def published_of(session: Session, kindergarten_id: uuid.UUID) -> list[KindergartenCutOff]:
    """Every published cut-off of a kindergarten, the newest round first, pools in their order of precedence.

    The cut-offs are those of the first run of a round.  The page of the draw shows those of replays.
    """
    found = public_lines(
        Run.published_at.is_not(None), Run.replays.is_(None), Programme.kindergarten_id == kindergarten_id
    )  # a replay's lines are those of who still waits; last season's line is that of the round itself
    query = (
        found.add_columns(Round.year, Round.id.label("round_id"), Round.name.label("round_name"))
        .join(Run, Run.id == CutOff.run_id)
        .join(Round, Round.id == Run.round_id)
        .group_by(Round.id)
        .order_by(Round.year.desc(), Round.number.desc(), *IN_ORDER)
    )
    return [KindergartenCutOff(row.year, row.round_id, row.round_name, line_of(row)) for row in session.execute(query)]
