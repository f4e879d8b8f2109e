"""The end of an admission year: it is closed when none of its rounds is under way."""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.draw import central_placement
from enrollment.ground.accounts import Actor
from enrollment.season import season_lifecycle
from enrollment.season.calendar import Season


def close(session: Session, year: int, *, by: Actor, now: dt.datetime) -> Season:
    """Close the year; it stays readable.

    Refuses `round_under_way` with the name of a round whose wishes wait for a result or whose run is not finished, and what
    `season_lifecycle.close` refuses.
    """
    under_way = central_placement.round_under_way(session, year, central=True)
    return season_lifecycle.close(session, year, under_way=under_way, by=by, now=now)
