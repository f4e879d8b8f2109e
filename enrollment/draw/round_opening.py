"""Opening a round: the year's programmes meet the round's filter, because the season's wing knows no places."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season import rounds
from enrollment.season.rounds import Offered, Round


def offered(session: Session, year: int) -> list[Offered]:
    """The year's programmes, those of closed kindergartens left out."""
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
    return [Offered(*row) for row in session.execute(found)]


def open_round(session: Session, round_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Round:
    """Open a planned round; what it refuses is written at `rounds.open`."""
    return rounds.open(session, round_id, offered(session, rounds.one(session, round_id).year), by=by, now=now)
