"""The state of each calendar step: done, current, future, due or late."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from enrollment.season import openings
from enrollment.season.calendar import Season
from enrollment.season.round_rows import RoundKind, RoundStage
from enrollment.season.rounds import Round, open_for_registration, rounds_of_year

STAGES_WITH_A_DRAW = (RoundStage.FROZEN, RoundStage.DRAWN, RoundStage.PUBLISHED)


STAGES_DRAWN = (RoundStage.DRAWN, RoundStage.PUBLISHED)
STAGES_PUBLISHED = (RoundStage.PUBLISHED,)
KIND_OF_STEP = {"registration": RoundKind.MAIN, "supplementary": RoundKind.SUPPLEMENTARY}
"""The steps in which families register, and the kind of round that opens them."""

STEPS_AFTER_PUBLICATION = ("result", "confirmation", "supplementary", "arrival")


@dataclass(frozen=True)
class CalendarStep:
    """A step of the calendar.

    `state` is done, now, todo, or late: its time has come, but the draw or the publication that it needs has not.  A draw is
    due while the days that were announced for it last: nobody was promised its first morning.
    """

    step: str
    begins_at: dt.datetime
    ends_at: dt.datetime
    state: str


def steps(session: Session, season: Season, *, now: dt.datetime) -> list[CalendarStep]:
    """All steps in the order of their begin, as far as the season's rounds have got.  Two steps may be `now`.

    Registration and the supplementary round are open when a round is, with the dates of the round.
    """
    return steps_of(season, rounds_of_year(session, season.year), now=now)


def steps_of(season: Season, found: Sequence[Round], *, now: dt.datetime) -> list[CalendarStep]:
    """The same with the season's rounds at hand."""
    stages = [each.stage for each in found if each.kind == RoundKind.MAIN]
    return [
        _as_rounds_say(step, [each for each in found if each.kind == KIND_OF_STEP[step.step]], now)
        if step.step in KIND_OF_STEP
        else step
        for step in steps_at_stages(season, stages, now=now)
    ]


def _as_rounds_say(step: CalendarStep, found: Sequence[Round], now: dt.datetime) -> CalendarStep:
    """A step in which families register: open only while a round is, `late` when its time came and no round opened."""
    open_now = [each for each in found if open_for_registration(each, now)]
    if open_now:
        begins_at, ends_at = min(one.opens_at for one in open_now), max(one.closes_at for one in open_now)
        return CalendarStep(step.step, begins_at, ends_at, "now")
    if step.state == "todo":
        return step
    coming = [each for each in found if openings.is_coming(each, now) and now < each.opens_at]
    if coming:
        return CalendarStep(step.step, coming[0].opens_at, coming[0].closes_at, "todo")
    begun = any(each.stage != RoundStage.PLANNED for each in found)
    return replace(step, state="done" if begun or step.state == "done" else "late")


def steps_at_stages(season: Season, stages: Collection[str], *, now: dt.datetime) -> list[CalendarStep]:
    """The steps for those who take part in rounds of these stages.  The calendar announces; the rounds say what is done."""
    found = []
    for date in season.dates:
        step, begins_at, ends_at = date.step, date.begins_at, date.ends_at
        state = _state(begins_at, ends_at, now)
        needed = _stages_needed(step, state)
        if needed and not any(stage in needed for stage in stages):
            state = "due" if step == "draw" and state == "now" else "late"
        found.append(CalendarStep(step, begins_at, ends_at, state))
    return found


def _stages_needed(step: str, state: str) -> tuple[RoundStage, ...]:
    """The stages of which a round needs one for this state of a step to be true; empty if any will do."""
    if state == "todo":
        return ()
    if step == "draw":
        return STAGES_DRAWN if state == "done" else STAGES_WITH_A_DRAW
    return STAGES_PUBLISHED if step in STEPS_AFTER_PUBLICATION else ()


def _state(begins: dt.datetime, ends: dt.datetime, now: dt.datetime) -> str:
    if now < begins:
        return "todo"
    return "now" if now < ends else "done"


def registration_now(listed: Sequence[CalendarStep]) -> CalendarStep | None:
    """The step in which families register now, with the dates of its rounds; None while no round is open."""
    return next((step for step in listed if step.state == "now" and step.step in KIND_OF_STEP), None)


def current_or_next_step(listed: list[CalendarStep]) -> CalendarStep | None:
    """The first late or due step, otherwise the current step that ends first, otherwise the next one; None after the last."""
    waited_for = [step for step in listed if step.state in ("late", "due")]
    if waited_for:
        return waited_for[0]
    open_now = [step for step in listed if step.state == "now"]
    if open_now:
        return min(open_now, key=lambda step: step.ends_at)
    return next((step for step in listed if step.state == "todo"), None)


def rounds_with_a_draw(session: Session, year: int) -> list[Round]:
    """The rounds of a year whose list is frozen, so that families can verify their draw."""
    return [each for each in rounds_of_year(session, year) if each.stage in STAGES_WITH_A_DRAW]
