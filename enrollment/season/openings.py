"""What is open, and when: the one place that answers it, from the announced years and their rounds.

A round decides: its stage and its dates together say whether families may hand in wishes now.  The calendar only
announces: a step without a round is a date to expect, never an open registration.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, any_, literal, select
from sqlalchemy.orm import Session

from enrollment.ground.reading.catalogue import once
from enrollment.season import ages, seasons
from enrollment.season.calendar import Season
from enrollment.season.kept_years import ROUNDS, YEARS
from enrollment.season.round_rows import KINDS_WITH_WISHES, RoundKind, RoundStage
from enrollment.season.rounds import Round, open_for_registration


class Opening(StrEnum):
    """`open` now; `coming` at a round's date; `expected` by the calendar alone; `late`: its time came, nothing opened;
    `none`: nothing is planned."""

    OPEN = "open"
    COMING = "coming"
    EXPECTED = "expected"
    LATE = "late"
    NONE = "none"


@dataclass(frozen=True)
class Window:
    """The rounds of a year for a class level at a moment.

    `open` takes registrations now, `coming` will take them, `last` is the most recently opened round (perhaps `open`).
    """

    open: Round | None
    coming: Round | None
    last: Round | None

    @property
    def current(self) -> Round | None:
        """The round whose wishes count now: the open one, else the one that was opened last."""
        return self.open or self.last

    @property
    def returned_may_be_answered(self) -> bool:
        """Review goes on from the end of registration until the round is frozen."""
        return self.last is not None and self.last.stage in (RoundStage.OPEN, RoundStage.CLOSED)

    @property
    def takes_drafts(self) -> bool:
        """Whether a draft that is begun now can be handed in, now or later."""
        return self.open is not None or self.coming is not None


NOTHING = Window(None, None, None)


@dataclass(frozen=True)
class Chance:
    """The next registration for children of a level: `begins_at` and `ends_at` are those of the round, else of the calendar."""

    opening: Opening
    kind: str
    round: Round | None = None
    begins_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None


@dataclass(frozen=True)
class LevelOfYear:
    """What a year offers to the children of a class level: the rounds, and the next registration."""

    season: Season
    level: str
    window: Window
    chance: Chance


def window(session: Session, year: int, level: str, *, now: dt.datetime) -> Window:
    """The state of registration of a level.  A year in preparation has none; a closed one takes nothing any more, and its last
    round is still known.  One query, because every page of a family asks it.
    """
    return once(session, (Window, year, level, now), lambda: _window(session, year, level, now))


def _window(session: Session, year: int, level: str, now: dt.datetime) -> Window:
    found, announced_at, closed_at = _rounds_and_dates(session, year, level)
    if not found or announced_at is None:
        return NOTHING
    if closed_at is not None:
        return Window(None, None, _last_begun(found, closed_at))
    return Window(
        open=next((each for each in found if open_for_registration(each, now)), None),
        coming=next((each for each in found if is_coming(each, now)), None),
        last=_last_begun(found, now),
    )


def _rounds_and_dates(
    session: Session, year: int, level: str
) -> tuple[list[Round], dt.datetime | None, dt.datetime | None]:
    """The rounds of a level that take wishes, and when their year was announced and closed."""
    kept = YEARS.of(session)
    if kept is not None:
        season = next((each for each in kept if each.year == year), None)
        if season is None:
            return [], None, None
        return _rounds(session, year, level), season.announced_at, season.closed_at
    query = _rounds_query(year, level).join(Season, Season.year == Round.year)
    rows = session.execute(query.add_columns(Season.announced_at, Season.closed_at)).all()
    return [row.Round for row in rows], rows[0].announced_at if rows else None, rows[0].closed_at if rows else None


def is_coming(found: Round, now: dt.datetime) -> bool:
    if found.stage == RoundStage.PLANNED:
        return now < found.closes_at
    return found.stage == RoundStage.OPEN and now < found.opens_at


def _last_begun(found: Sequence[Round], now: dt.datetime) -> Round | None:
    begun = [each for each in found if each.stage != RoundStage.PLANNED and not is_coming(each, now)]
    return begun[-1] if begun else None


def _rounds_query(year: int, level: str | None = None) -> Select[Round]:
    """The rounds of a year that take wishes; with `level` those that admit it."""
    found = select(Round).where(Round.year == year, Round.kind.in_(KINDS_WITH_WISHES)).order_by(Round.number)
    return found if level is None else found.where(literal(level) == any_(Round.levels))


def _rounds(session: Session, year: int, level: str | None = None) -> list[Round]:
    kept = ROUNDS.of(session)
    if kept is None:
        return list(session.scalars(_rounds_query(year, level)))
    return [
        each
        for each in kept
        if each.year == year and each.kind in KINDS_WITH_WISHES and (level is None or level in each.levels)
    ]


def takes_changes(session: Session, year: int, *, now: dt.datetime) -> bool:
    """Whether applications of the year can still be entered or changed: a round is coming, open, or not yet frozen."""
    season = seasons.visible_of_year(session, year)
    if season is None or not seasons.is_announced(season):
        return False
    return any(
        each.stage in (RoundStage.OPEN, RoundStage.CLOSED)
        or (each.stage == RoundStage.PLANNED and now < each.closes_at)
        for each in _rounds(session, year)
    )


def open_rounds(session: Session, *, now: dt.datetime) -> list[tuple[Season, Round]]:
    """Every round that takes registrations now, of every announced year, the newest year first."""
    announced = reversed(seasons.announced(session))
    return [
        (season, each)
        for season in announced
        for each in _rounds(session, season.year)
        if open_for_registration(each, now)
    ]


def years_to_register(session: Session, *, now: dt.datetime) -> list[Season]:
    """The announced years with a round that is open or coming, those with an open one first, then the newest first."""
    found = []
    for season in reversed(seasons.announced(session)):
        listed = _rounds(session, season.year)
        if any(open_for_registration(each, now) for each in listed):
            found.append((0, season))
        elif any(is_coming(each, now) for each in listed):
            found.append((1, season))
    return [season for _rank, season in sorted(found, key=lambda one: one[0])]


def year_to_register(session: Session, *, now: dt.datetime) -> Season | None:
    """The year in which a new family begins; without a registration, the one that families see first."""
    found = years_to_register(session, now=now)
    return found[0] if found else seasons.main_season(session, now)


def next_chance(session: Session, year: int, level: str, *, now: dt.datetime) -> Chance:
    """The next registration of a level in a year: an open round, one that is planned, or what the calendar announces."""
    times = window(session, year, level, now=now)
    if times.open is not None:
        return _of_round(Opening.OPEN, times.open)
    if times.coming is not None:
        late = times.coming.opens_at <= now
        return _of_round(Opening.LATE if late else Opening.COMING, times.coming)
    season = seasons.visible_of_year(session, year)
    if season is None or not seasons.is_announced(season) or times.last is None:
        return Chance(Opening.NONE, RoundKind.MAIN)
    return _by_calendar(season, times.last, now)


def registration_begins(session: Session, year: int) -> dt.datetime | None:
    """When registration of an announced year begins by its calendar; None for a year that is not announced."""
    season = seasons.visible_of_year(session, year)
    found = [date.begins_at for date in season.dates if date.step == "registration"] if season else []
    return found[0] if found else None


def of_year(session: Session, season: Season, *, now: dt.datetime) -> list[LevelOfYear]:
    """Every class level of a year with its rounds and its next registration, in the order of age."""
    levels = list(ages.FULL_YEARS)
    times = {level: window(session, season.year, level, now=now) for level in levels}
    return [
        LevelOfYear(season, level, times[level], next_chance(session, season.year, level, now=now)) for level in levels
    ]


def _of_round(opening: Opening, found: Round) -> Chance:
    return Chance(opening, found.kind, found, found.opens_at, found.closes_at)


def _by_calendar(season: Season, last: Round, now: dt.datetime) -> Chance:
    """What the calendar says about a supplementary round that nobody has planned yet."""
    step = next((date for date in season.dates if date.step == "supplementary"), None)
    if step is None or now >= step.ends_at or last.kind == RoundKind.SUPPLEMENTARY:
        return Chance(Opening.NONE, RoundKind.SUPPLEMENTARY)
    opening = Opening.EXPECTED if now < step.begins_at else Opening.LATE
    return Chance(opening, RoundKind.SUPPLEMENTARY, None, step.begins_at, step.ends_at)
