"""The admission year of an officials' page.  It stands in the address: /officials/2026/rounds.

`url_for` adds the year of the current page; an address without a year leads to the right one.
"""

import uuid
from typing import Any

from flask import abort, current_app, g, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import HTTPException

from enrollment.draw.run_rows import Run
from enrollment.season import seasons
from enrollment.season.calendar import Season
from enrollment.season.rounds import Round
from portal.officials import pages
from portal.web.errors import error_page
from portal.web.guards import desk, guard_of
from portal.web.unit_of_work import city_day, clock, db

FIRST_MONTH_OF_THE_NEXT_YEAR = 9


def default_year() -> int:
    """The year of an address without one: the season that families see first; without a season, the next intake."""
    found = seasons.officials_default(db(), clock())
    if found is not None:
        return found.year
    return city_day().year + (city_day().month >= FIRST_MONTH_OF_THE_NEXT_YEAR)


def chosen_year() -> int:
    """The year in the address of the current page."""
    return g.officials_year


def chosen_season() -> Season | None:
    """The season of the address, in whatever stage; None before the first season was created."""
    return seasons.of_year(db(), chosen_year())


@pages.url_value_preprocessor
def take_year(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Views do not take the year as an argument: they ask `chosen_year`."""
    if values is not None:
        g.officials_year = values.pop("year")


@pages.before_request
def require_known_year() -> ResponseReturnValue | None:
    """Refuse an unknown year, and lead an address that names a round or a run to the year of that round."""
    guard = guard_of(current_app, request.endpoint or "")
    if not current_user.is_authenticated or guard is None or not guard.admits(current_user.actor.roles):
        return None  # the guard of the view answers
    own = _year_of_object(request.view_args or {})
    if own is not None and own != chosen_year():
        if request.method != "GET":
            abort(404)
        return redirect(_address(own, request.path.split("/", 3)[3]), 303)
    if chosen_season() is None and chosen_year() != default_year():
        abort(404)
    return None


def _year_of_object(values: dict[str, Any]) -> int | None:
    """The year of the round or run that the address names."""
    round_id: uuid.UUID | None = values.get("round_id")
    if (run_id := values.get("run_id")) is not None:
        run = db().get(Run, run_id)
        round_id = run.round_id if run is not None else None
    found = db().get(Round, round_id) if round_id is not None else None
    return found.year if found is not None else None


def _address(year: int, rest: str) -> str:
    asked = request.query_string.decode("latin-1")
    return f"{url_for('officials.home', year=year)}{'/' if rest else ''}{rest}{'?' if asked else ''}{asked}"


@pages.app_url_defaults
def add_year(endpoint: str, values: dict[str, Any]) -> None:
    """Give addresses of officials' pages the year of the current page, or the default one."""
    if endpoint.startswith(f"{pages.name}.") and "year" not in values:
        values["year"] = g.officials_year if "officials_year" in g else default_year()


@desk("officials")
def without_year() -> ResponseReturnValue:
    return redirect(_address(default_year(), ""), 303)


@desk("officials")
def without_year_below(rest: str) -> ResponseReturnValue:
    """An address from before the year stood in it; the page redirects again if it names a round of another year."""
    if _names_a_year(rest):
        abort(404)
    return redirect(_address(default_year(), rest), 303)


@desk("officials")
def posted_without_year(rest: str) -> ResponseReturnValue:
    """A form of a page that was opened before the year stood in the address.  Nothing is saved; the page is found again.

    The redirect of a POST could not keep what was written, and an act is never done by an address that names no year.
    """
    if _names_a_year(rest):
        abort(405)
    text = _("这个页面是更新以前打开的，刚才的操作没有执行，什么都没有改。请打开新的页面核对后再做一次。")
    return error_page(409, _("请打开新的页面"), text, newer=_page_of(rest))


def _page_of(rest: str) -> str:
    """The page of that address in the default year, or the nearest one above it; the home page at last."""
    parts, home = rest.split("/"), url_for("officials.home", year=default_year())
    while parts:
        if _is_page(address := f"{home}/{'/'.join(parts)}"):
            return address
        parts.pop()
    return home


def _is_page(address: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    try:
        endpoint = adapter.match(address, method="GET")[0] if adapter is not None else ""
    except HTTPException:
        return False
    return endpoint.startswith(f"{pages.name}.")


def _names_a_year(rest: str) -> bool:
    """Whether an address that no page has begins with a year: then a redirect would only add another one."""
    return rest.split("/", 1)[0].isdecimal()


@pages.record_once
def add_addresses_without_year(state: BlueprintSetupState) -> None:
    state.app.add_url_rule("/officials", "officials_without_year", without_year, methods=["GET"])
    state.app.add_url_rule("/officials/", "officials_without_year", without_year, methods=["GET"])
    state.app.add_url_rule(
        "/officials/<path:rest>", "officials_without_year_below", without_year_below, methods=["GET"]
    )
    state.app.add_url_rule(
        "/officials/<path:rest>", "officials_posted_without_year", posted_without_year, methods=["POST"]
    )
