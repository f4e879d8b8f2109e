"""Reserved places and rounds: families choose by the pools that were published, so an opened round fixes them.

The places know no rounds and the rounds no places; here they meet.
"""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.errors import Refused
from enrollment.places import ledger, pools
from enrollment.places.pools import PoolPlan
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round, RoundProgramme


def round_that_fixes(session: Session, programme_id: uuid.UUID) -> Round | None:
    """The first round that was opened with this programme; None while its pools may still change."""
    found = select(Round).join(RoundProgramme, RoundProgramme.round_id == Round.id)
    return session.scalars(
        found.where(RoundProgramme.programme_id == programme_id).order_by(Round.number).limit(1)
    ).first()


def set_pools(
    session: Session,
    programme_id: uuid.UUID,
    wanted: list[PoolPlan],
    *,
    by: Actor,
    now: dt.datetime,
    reason: str,
    version: int | None,
) -> Programme:
    """Change the pools of a programme before a round opens with it.

    Refuses `pools_fixed_by_round` afterwards, besides what `pools.set_pools` refuses.
    """
    ledger.lock_programme(
        session, programme_id, by=by, version=version
    )  # a round that opens now waits for this row, or did
    fixed = round_that_fixes(session, programme_id)
    if fixed is not None:
        raise Refused("pools_fixed_by_round", round=fixed.name)
    return pools.set_pools(session, programme_id, wanted, by=by, now=now, reason=reason, version=version)
