"""The year's calendar as a drawing: days from left to right, days off, steps and rounds."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from enrollment.ground.city_time import CHENGDU
from enrollment.season.calendar_validation import Span
from enrollment.season.holidays import WorkingCalendar

WIDTH, ROW, TOP, LABEL = 1120, 26, 40, 150
"""The drawing's measures: the names of the rows stand left of the days."""


@dataclass(frozen=True)
class Bar:
    """A row of the drawing, as wide as its days."""

    name: str
    is_round: bool
    x: float
    width: float
    y: int


@dataclass(frozen=True)
class Drawing:
    """`rest` are the days off (x, width), `weeks` Mondays (x, day), `today` a place or None outside the year."""

    bars: tuple[Bar, ...]
    rest: tuple[tuple[float, float], ...]
    weeks: tuple[tuple[float, dt.date], ...]
    today: float | None
    height: int


def of_year(
    steps: Sequence[tuple[str, Span]], rounds: Iterable[tuple[str, Span]], days: WorkingCalendar, now: dt.datetime
) -> Drawing | None:
    """None without a step."""
    rows = [*((name, span, False) for name, span in steps), *((name, span, True) for name, span in rounds)]
    if not steps:
        return None
    first = min(span[0] for _name, span, _is_round in rows).astimezone(CHENGDU).date()
    last = max(span[1] for _name, span, _is_round in rows).astimezone(CHENGDU).date()
    count = (last - first).days + 1
    wide = (WIDTH - LABEL) / count
    midnight = dt.datetime.combine(first, dt.time(), CHENGDU)

    def at(moment: dt.datetime) -> float:
        return LABEL + wide * ((moment - midnight) / dt.timedelta(days=1))

    every = [first + dt.timedelta(days=number) for number in range(count)]
    return Drawing(
        bars=tuple(
            Bar(name, is_round, at(begins), max(at(ends) - at(begins), 3.0), TOP + ROW * number)
            for number, (name, (begins, ends), is_round) in enumerate(rows)
        ),
        rest=tuple((LABEL + wide * number, wide) for number, day in enumerate(every) if days.is_rest(day)),
        weeks=tuple((LABEL + wide * number, day) for number, day in enumerate(every) if day.weekday() == 0),
        today=at(now) if first <= now.astimezone(CHENGDU).date() <= last else None,
        height=TOP + ROW * len(rows) + 8,
    )
