"""The state of each calendar step: done, current or future."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.season.calendar import Season
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round

STAGES_WITH_A_DRAW = (RoundStage.FROZEN, RoundStage.DRAWN, RoundStage.PUBLISHED, RoundStage.FINISHED)


@dataclass(frozen=True)
class CalendarStep:
    """A step of the calendar; `state` is done, now or todo."""

    step: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    state: str


def steps(season: Season, *, now: dt.datetime) -> list[CalendarStep]:
    """All steps in the order of their begin.  Two steps may have the state `now`."""
    return [CalendarStep(d.step, d.begins_at, d.ends_at, _state(d.begins_at, d.ends_at, now)) for d in season.dates]


def _state(begins: dt.datetime, ends: dt.datetime, now: dt.datetime) -> str:
    if now < begins:
        return "todo"
    return "now" if now < ends else "done"


def current_or_next_step(season: Season, *, now: dt.datetime) -> CalendarStep | None:
    """The current step that ends first, otherwise the next step; None after the last one."""
    listed = steps(season, now=now)
    open_now = [step for step in listed if step.state == "now"]
    if open_now:
        return min(open_now, key=lambda step: step.ends_at)
    return next((step for step in listed if step.state == "todo"), None)


def rounds_with_a_draw(session: Session, year: int) -> list[Round]:
    """The rounds of a year whose list is frozen, so that families can verify their draw."""
    query = select(Round).where(Round.year == year, Round.stage.in_(STAGES_WITH_A_DRAW)).order_by(Round.number)
    return list(session.scalars(query))
