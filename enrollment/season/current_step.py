"""What is open now, what is over and what comes next, read from the year's calendar."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.season.calendar import Season
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

WITH_A_DRAW = (RoundStage.FROZEN, RoundStage.DRAWN, RoundStage.PUBLISHED, RoundStage.FINISHED)


@dataclass(frozen=True)
class Step:
    """A step of the calendar; `state` is done, now or todo."""

    step: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    state: str


def steps(season: Season, *, now: dt.datetime) -> list[Step]:
    """Every step in the order of its beginning.  A step that has begun and not ended is now; two may be."""
    return [Step(d.step, d.begins_at, d.ends_at, _state(d.begins_at, d.ends_at, now)) for d in season.dates]


def _state(begins: dt.datetime, ends: dt.datetime, now: dt.datetime) -> str:
    if now < begins:
        return "todo"
    return "now" if now < ends else "done"


def at_hand(season: Season, *, now: dt.datetime) -> Step | None:
    """The step that matters most today: the one that is open and ends first, else the one that comes next."""
    listed = steps(season, now=now)
    open_now = [step for step in listed if step.state == "now"]
    if open_now:
        return min(open_now, key=lambda step: step.ends_at)
    return next((step for step in listed if step.state == "todo"), None)


def draws(session: Session, year: int) -> list[Round]:
    """The year's rounds whose list is frozen: what a family can check for itself."""
    query = select(Round).where(Round.year == year, Round.stage.in_(WITH_A_DRAW)).order_by(Round.number)
    return list(session.scalars(query))
