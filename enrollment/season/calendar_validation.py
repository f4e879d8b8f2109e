"""Validation of the dates of an admission year."""

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from enrollment.ground.city_time import CHENGDU
from enrollment.ground.errors import Refused

STEPS = ("announcement", "registration", "review", "draw", "result", "confirmation", "supplementary", "arrival")

Span = tuple[dt.datetime, dt.datetime]
"""Begin (inclusive) and end (exclusive), as aware datetimes."""

WORKING_DAYS_OF_NOTICE = 5
MAY_OVERLAP = {("registration", "review"), ("result", "confirmation"), ("supplementary", "arrival")}
"""Steps that may overlap: a policy may open the review early, families answer as soon as results are published, and
places are filled until the children arrive."""


@dataclass(frozen=True)
class Conflict:
    """`code` has a text in the group `calendar_conflict`; `step` is the step to correct, `other` the step it conflicts with."""

    code: str
    step: str
    other: str | None = None
    number: int | None = None


class CalendarConflicts(Refused):
    """The dates contradict each other; `conflicts` lists all conflicts."""

    def __init__(self, conflicts: list[Conflict]):
        self.conflicts = conflicts
        super().__init__("calendar_conflicts", count=len(conflicts))


def working_days(begins_at: dt.datetime, ends_at: dt.datetime) -> int:
    """Mondays to Fridays that the span touches, the Labour Day days (1 to 5 May) left out.

    Shifted working weekends are not counted, so the number is never too high.
    """
    first = begins_at.astimezone(CHENGDU).date()
    last = (ends_at.astimezone(CHENGDU) - dt.timedelta(microseconds=1)).date()
    days = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
    return sum(day.weekday() < 5 and not (day.month == 5 and day.day <= 5) for day in days)


def conflicts_of(dates: Mapping[str, Span]) -> list[Conflict]:
    """All conflicts, in the order of the steps."""
    found = [Conflict("missing_step", step) for step in STEPS if step not in dates]
    known = [step for step in STEPS if step in dates]
    for step in known:
        begins_at, ends_at = dates[step]
        if begins_at >= ends_at:
            found.append(Conflict("ends_before_it_begins", step))
    for earlier, later in itertools.pairwise(known):
        if dates[later][0] < dates[earlier][0]:
            found.append(Conflict("out_of_order", later, earlier))
        elif dates[later][0] < dates[earlier][1] and (earlier, later) not in MAY_OVERLAP:
            found.append(Conflict("overlap", later, earlier))
    if "registration" in dates and "draw" in dates and dates["draw"][0] < dates["registration"][1]:
        found.append(Conflict("overlap", "draw", "registration"))
    if "announcement" in dates and (count := working_days(*dates["announcement"])) < WORKING_DAYS_OF_NOTICE:
        found.append(Conflict("announcement_too_short", "announcement", number=count))
    return sorted(found, key=lambda conflict: STEPS.index(conflict.step))
