"""Validation of the dates of an admission year.

A conflict is refused: dates that contradict each other, and a notice that is shorter than the rule allows.  A warning is
said with its rule and accepted by the official who signs for it: a deadline on a day off, few days to answer.  Warnings
are not refused, because the arrangement of days off may be unknown when the calendar is made, and because a district may
have a reason (ADR 0021).
"""

import datetime as dt
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from enrollment.ground.city_time import CHENGDU, NEXT_ROLL_FROM
from enrollment.ground.errors import Refused
from enrollment.season.holidays import WorkingCalendar, last_day, of_file

STEPS = ("announcement", "registration", "review", "draw", "result", "confirmation", "supplementary", "arrival")

Span = tuple[dt.datetime, dt.datetime]
"""Begin (inclusive) and end (exclusive), as aware datetimes."""

WORKING_DAYS_OF_NOTICE = 5
DAYS_OF_REGISTRATION = 4
WORKING_DAYS_TO_ANSWER = 2
MAY_OVERLAP = {("registration", "review"), ("result", "confirmation"), ("supplementary", "arrival")}
"""Steps that may overlap: a policy may open the review early, families answer as soon as results are published, and
places are filled until the children arrive."""

DEADLINES = ("registration", "confirmation", "supplementary")
"""The steps whose end is a family's deadline."""
PUBLIC_EVENTS = ("draw", "result")
"""The steps whose begin needs offices, a notary, or somebody who answers the telephone."""


@dataclass(frozen=True)
class Conflict:
    """`code` has a text in the group `calendar_conflict`; `step` is the step to correct, `other` the step it conflicts with.

    `end` is the date to correct: `begins` or `ends`.  `day` is a day off with its `holiday`, `next_day` the next working day.
    """

    code: str
    step: str
    other: str | None = None
    number: int | None = None
    end: str = "begins"
    day: dt.date | None = None
    next_day: dt.date | None = None
    holiday: str | None = None


class CalendarConflicts(Refused):
    """The dates contradict each other; `conflicts` lists all conflicts."""

    def __init__(self, conflicts: list[Conflict], code: str = "calendar_conflicts"):
        self.conflicts = conflicts
        super().__init__(code, count=len(conflicts))


class CalendarWarnings(CalendarConflicts):
    """The dates are possible, and each warning has to be accepted."""

    def __init__(self, warnings: list[Conflict]):
        super().__init__(warnings, "calendar_warnings")


def working_days(begins_at: dt.datetime, ends_at: dt.datetime, days: WorkingCalendar | None = None) -> int:
    """The working days that the span touches; without `days`, by the packaged holidays of its year."""
    known = days or of_file(begins_at.astimezone(CHENGDU).year)
    return known.working_days(begins_at, ends_at)


def conflicts_of(dates: Mapping[str, Span], days: WorkingCalendar | None = None) -> list[Conflict]:
    """All conflicts, in the order of the steps."""
    found = [Conflict("missing_step", step) for step in STEPS if step not in dates]
    known = [step for step in STEPS if step in dates]
    for step in known:
        begins_at, ends_at = dates[step]
        if begins_at >= ends_at:
            found.append(Conflict("ends_before_it_begins", step, end="ends"))
    for earlier, later in itertools.pairwise(known):
        if dates[later][0] < dates[earlier][0]:
            found.append(Conflict("out_of_order", later, earlier))
        elif dates[later][0] < dates[earlier][1] and (earlier, later) not in MAY_OVERLAP:
            found.append(Conflict("overlap", later, earlier))
    if "registration" in dates and "draw" in dates and dates["draw"][0] < dates["registration"][1]:
        found.append(Conflict("overlap", "draw", "registration"))
    if "announcement" in dates and (count := working_days(*dates["announcement"], days)) < WORKING_DAYS_OF_NOTICE:
        found.append(Conflict("announcement_too_short", "announcement", number=count, end="ends"))
    if "arrival" in dates:
        first_year = min(begins_at for begins_at, _ends_at in dates.values()).astimezone(CHENGDU).year
        if dates["arrival"][0].astimezone(CHENGDU).date() < dt.date(first_year, *NEXT_ROLL_FROM):
            found.append(Conflict("arrival_before_the_roll", "arrival"))
    return sorted(found, key=lambda conflict: STEPS.index(conflict.step))


def warnings_of(dates: Mapping[str, Span], days: WorkingCalendar) -> list[Conflict]:
    """What the rules advise against, in the order of the steps."""
    found = []
    for step in DEADLINES:
        if step in dates and days.is_rest(day := last_day(dates[step][1])):
            found.append(_on_rest_day("deadline_on_rest_day", step, "ends", day, days))
    for step in PUBLIC_EVENTS:
        if step in dates and days.is_rest(day := dates[step][0].astimezone(CHENGDU).date()):
            found.append(_on_rest_day("event_on_rest_day", step, "begins", day, days))
    if "registration" in dates:
        begins_at, ends_at = dates["registration"]
        count = (last_day(ends_at) - begins_at.astimezone(CHENGDU).date()).days + 1
        if count < DAYS_OF_REGISTRATION:
            found.append(Conflict("registration_short", "registration", number=count, end="ends"))
    if "confirmation" in dates and (count := days.working_days(*dates["confirmation"])) < WORKING_DAYS_TO_ANSWER:
        found.append(Conflict("confirmation_short", "confirmation", number=count, end="ends"))
    return sorted(found, key=lambda warning: STEPS.index(warning.step))


@dataclass(frozen=True)
class Minimum:
    """How many days a step has, and how many it must have at least; `code` has a text in the group `calendar_minimum`."""

    code: str
    step: str
    least: int
    days: int

    @property
    def is_kept(self) -> bool:
        return self.days >= self.least


def minima_of(dates: Mapping[str, Span], days: WorkingCalendar) -> list[Minimum]:
    """What the rules demand of the length of the steps, kept or not."""
    found = []
    if "announcement" in dates:
        count = days.working_days(*dates["announcement"])
        found.append(Minimum("notice", "announcement", WORKING_DAYS_OF_NOTICE, count))
    if "registration" in dates:
        begins_at, ends_at = dates["registration"]
        count = (last_day(ends_at) - begins_at.astimezone(CHENGDU).date()).days + 1
        found.append(Minimum("registration", "registration", DAYS_OF_REGISTRATION, count))
    if "confirmation" in dates:
        count = days.working_days(*dates["confirmation"])
        found.append(Minimum("confirmation", "confirmation", WORKING_DAYS_TO_ANSWER, count))
    return found


def late_notice(dates: Mapping[str, Span], days: WorkingCalendar, *, now: dt.datetime) -> list[Conflict]:
    """A warning where the working days from an announcement made now to the begin of registration are too few."""
    count = days.working_days(now, dates["registration"][0])
    if count >= WORKING_DAYS_OF_NOTICE:
        return []
    return [Conflict("announced_late", "registration", number=count)]


def _on_rest_day(code: str, step: str, end: str, day: dt.date, days: WorkingCalendar) -> Conflict:
    return Conflict(code, step, end=end, day=day, next_day=days.next_working_day(day), holiday=days.name_of(day))
