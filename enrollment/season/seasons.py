"""Which admission years there are, and who may see them.

Families, staff and the public see announced and closed years; officials also see years in preparation.
"""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.reading.catalogue import once
from enrollment.season.calendar import Season, SeasonStage
from enrollment.season.kept_years import YEARS


def of_year(session: Session, year: int) -> Season | None:
    """The year in whatever stage; for the pages of officials and for what belongs to the year already."""
    kept = YEARS.of(session)
    return session.get(Season, year) if kept is None else next((each for each in kept if each.year == year), None)


def all_years(session: Session) -> list[Season]:
    """Every year with those in preparation, the newest first: for officials only."""
    kept = YEARS.of(session)
    return list(session.scalars(select(Season).order_by(Season.year.desc())) if kept is None else kept)


def visible(session: Session) -> list[Season]:
    """The announced and the closed years, the newest first."""
    return [season for season in all_years(session) if season.stage != SeasonStage.PREPARATION]


def visible_of_year(session: Session, year: int) -> Season | None:
    found = of_year(session, year)
    return found if found is not None and found.stage != SeasonStage.PREPARATION else None


def announced(session: Session) -> list[Season]:
    """The announced years that are not closed, the oldest first.  Two may run at once."""
    kept = YEARS.of(session)
    if kept is not None:
        return [each for each in reversed(kept) if is_announced(each)]
    found = select(Season).where(Season.announced_at.is_not(None), Season.closed_at.is_(None)).order_by(Season.year)
    return list(session.scalars(found))


def is_announced(season: Season) -> bool:
    return season.stage == SeasonStage.ANNOUNCED


def is_running(season: Season, now: dt.datetime) -> bool:
    """Whether an announced year has begun: its first step has."""
    return is_announced(season) and bool(season.dates) and season.dates[0].begins_at <= now


def state(season: Season, now: dt.datetime) -> str:
    """The stage, or `running` for an announced year that has begun."""
    return "running" if is_running(season, now) else season.stage


def last_step_ends_at(season: Season) -> dt.datetime | None:
    return max((date.ends_at for date in season.dates), default=None)


def is_past(season: Season, now: dt.datetime) -> bool:
    """Whether nothing of the year's calendar is left."""
    end = last_step_ends_at(season)
    return season.stage == SeasonStage.CLOSED or (end is not None and end <= now)


def main_season(session: Session, now: dt.datetime) -> Season | None:
    """The year that a page without a year shows first: the newest one under way, else the next, else the last one."""
    return once(session, ("main_season", now), lambda: _first(visible(session), now))


def officials_default(session: Session, now: dt.datetime) -> Season | None:
    """The year of an officials' address without one: as families see it; a year in preparation if there is no other."""
    found = all_years(session)
    return _first([season for season in found if season.stage != SeasonStage.PREPARATION], now) or (
        found[-1] if found else None
    )


def _first(newest_first: Iterable[Season], now: dt.datetime) -> Season | None:
    listed = list(newest_first)
    under_way = [season for season in listed if is_running(season, now) and not is_past(season, now)]
    coming = [season for season in listed if not is_running(season, now) and not is_past(season, now)]
    if under_way:
        return under_way[0]
    return coming[-1] if coming else next(iter(listed), None)
