"""Opening a round.  It passes the year's programmes to `season.rounds`, which must not import `places`."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season import rounds
from enrollment.season.rounds import ProgrammeCandidate, Round


def offered(session: Session, year: int) -> list[ProgrammeCandidate]:
    """The year's programmes, without those of closed kindergartens."""
    found = (
        select(
            Programme.id,
            Kindergarten.area_code,
            Kindergarten.nature,
            Programme.level,
            (Programme.state == ProgrammeState.APPROVED).label("approved"),
        )
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == year, Kindergarten.closed_on.is_(None))
    )
    return [ProgrammeCandidate(*row) for row in session.execute(found)]


def open_round(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Round:
    """Open a planned round.  Refuses what `rounds.open_planned_round` refuses."""
    return rounds.open_planned_round(
        session, round_id, offered(session, rounds.get_round(session, round_id).year), by=by, now=now
    )
