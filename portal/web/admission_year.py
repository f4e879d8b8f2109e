"""What a page takes from the current season by default: the admission year, and the telephone for questions.

Two years may run at once.  A page that shows one of them takes it from the `year` of its address, and links to the others.
"""

from collections.abc import Iterable
from typing import Any

from flask import g, request, url_for

from enrollment.season import seasons
from enrollment.season.calendar import Season
from portal.text.numbers import whole_number
from portal.web.unit_of_work import city_day, clock, db

FIRST, LAST = 2000, 2100


def admission_year() -> int:
    season = seasons.main_season(db(), clock())
    return season.year if season else city_day().year


def shown_year(default: int | None = None) -> int:
    """The `year` of the query string, if it is an announced or a closed year; else the default one."""
    asked = asked_year()
    if asked and seasons.visible_of_year(db(), asked) is not None:
        return asked
    return default or admission_year()


def shown_season() -> Season | None:
    """The season of `shown_year`; None before the first year is announced."""
    return seasons.visible_of_year(db(), shown_year())


def year_links(
    years: Iterable[int], shown: int | None, *, leave_out: Iterable[str] = ()
) -> list[tuple[int, str, bool]]:
    """(year, address of this page in that year, whether it is shown) for a page with a choice; nothing for one year.

    The address keeps the other parameters of the query string, without the page of a list and what `leave_out` names.
    """
    listed = list(years)
    if len(listed) < 2:
        return []
    dropped = {"year", "page", "lang", *leave_out}
    kept: dict[str, Any] = {name: values for name, values in request.args.lists() if name not in dropped}
    kept |= request.view_args or {}
    return [
        (year, url_for(request.endpoint or "public.home", **{**kept, "year": year}), year == shown) for year in listed
    ]


def links_to_visible_years() -> list[tuple[int, str, bool]]:
    """The links of a page on which every announced and closed year can be read."""
    years = [season.year for season in seasons.visible(db())]
    return year_links(years, shown_year()) if len(years) > 1 else []


def asked_year() -> int | None:
    """The `year` of the query string, if it lies between `FIRST` and `LAST`; else None."""
    year = request.args.get("year", 0, whole_number)
    return year if FIRST <= year <= LAST else None


def hotline() -> str | None:
    """The telephone that the current season names; None if it names none, and on the page of an internal error."""
    if "internal_error" in g:
        return None
    if "hotline" not in g:
        season = seasons.main_season(db(), clock())
        g.hotline = season.hotline if season else None
    return g.hotline
