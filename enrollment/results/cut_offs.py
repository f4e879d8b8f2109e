"""Published cut-offs 录取线 as everybody may read them."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.draw.run_rows import CutOff, Run
from enrollment.places.programmes import Pool, Programme
from enrollment.season.rounds import Round


@dataclass(frozen=True)
class KindergartenCutOff:
    """The cut-off of a pool in a published round.  `pool` is its name, None for the places that are open to all."""

    year: int
    round_id: uuid.UUID
    round: str
    level: str
    pool: str | None
    places: int
    filled: int
    state: str
    tier: int | None
    ticket: int | None


def published_of(session: Session, kindergarten_id: uuid.UUID) -> list[KindergartenCutOff]:
    """Every published cut-off of a kindergarten, the newest round first, pools in their order of precedence.

    The cut-offs are those of the first run of a round.  The page of the draw shows those of replays.
    """
    query = (
        select(Round, CutOff, Programme.level, Pool.name)
        .join(Run, Run.round_id == Round.id)
        .join(CutOff, CutOff.run_id == Run.id)
        .join(Programme, Programme.id == CutOff.programme_id)
        .outerjoin(Pool, (Pool.programme_id == CutOff.programme_id) & (Pool.code == CutOff.pool))
        .where(
            Run.published_at.is_not(None), Run.replays.is_(None), Programme.kindergarten_id == kindergarten_id
        )  # a replay's lines are those of who still waits; last season's line is that of the round itself
        .order_by(Round.year.desc(), Round.number.desc(), Programme.level, Pool.precedence.nulls_last(), CutOff.pool)
    )
    return [
        KindergartenCutOff(
            r.year, r.id, r.name, level, pool, line.places, line.filled, line.state, line.tier, line.ticket
        )
        for r, line, level, pool in session.execute(query)
    ]
