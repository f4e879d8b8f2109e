"""The forecast of one area or of the city: how sure it is, why, what would change it, and how good it was."""

import math
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.coverage.forecast import levers, method
from enrollment.coverage.forecast.outlook import Outlook
from enrollment.coverage.shares import AreaLine, Shares
from enrollment.places.population import estates
from enrollment.planning import projects
from portal.officials import pages
from portal.officials.coverage import headlines
from portal.officials.scope import area_names
from portal.officials.years import chosen_year
from portal.text.words import word
from portal.web.guards import desk
from portal.web.shared_views import coverage_fan, coverage_views
from portal.web.shared_views.coverage_charts import of
from portal.web.unit_of_work import db

CITY = "city"
KINDS = ("public", "inclusive", "total")
ESTATES_BEFORE = 3
"""How many of the last years show their estates."""


@pages.get("/coverage/<area>/forecast")
@desk("officials")
def coverage_forecast(area: str) -> ResponseReturnValue:
    form = coverage_views.definition_form()
    figures = coverage_views.city_shares(form.definition(), year=chosen_year())
    line = _asked_line(figures, area)
    outlook = coverage_views.outlook_of(figures)
    kind = request.args.get("share", KINDS[0])
    if kind not in KINDS:
        abort(404)
    name = _("全市") if area == CITY else coverage_views.line_name(line)
    if not isinstance(outlook, Outlook) or not line.now.all:
        missing = None if isinstance(outlook, Outlook) else outlook
        return render_template(
            "officials/coverage_no_forecast.html",
            form=form,
            area=area,
            missing=missing,
            pages=coverage_views,
            name=name,
        )
    return render_template(
        "officials/coverage_forecast.html",
        **_figures(outlook, figures, line, kind, name),
        **_on_file(outlook, line, kind),
        form=form,
        area=area,
        kind=kind,
        name=name,
        line=line,
        outlook=outlook,
        shares=figures,
        pages=coverage_views,
        chance_text=headlines.chance_text,
    )


def _asked_line(figures: Shares, area: str) -> AreaLine:
    if area == CITY:
        return figures.city
    found = next((line for line in figures.areas if line.code == area), None)
    if found is None:
        abort(404)
    return found


def _figures(outlook: Outlook, figures: Shares, line: AreaLine, kind: str, name: str) -> dict[str, Any]:
    """What the page draws of one of the three figures."""
    septembers = outlook.septembers[line.code]
    now, least = line.now.public_share, line.least.public_share
    if kind == "inclusive":
        now, least = line.now.inclusive_coverage, line.least.inclusive_coverage
    share = None if kind == "total" else [each.public if kind == "public" else each.inclusive for each in septembers]
    if share is None:
        heading = _("%(name)s：9 月预计 %(n)s 个孩子", name=name, n=septembers[0].coverage.all)
    else:
        heading = headlines.forecast_headline(name, word("share_kind", kind), share[0])
    target, floor = (None, None) if kind == "total" else (of(now.target), of(least.target))
    origin = outlook.past.years - 1
    place = outlook.past.areas.index(line.code) if line.code else None
    return {
        "heading": heading,
        "septembers": septembers,
        "share": share,
        "now": now,
        "fan": coverage_fan.fan(outlook, line.code, kind, target, floor),
        "births": coverage_fan.births(outlook, line.code),
        "rates": None if place is None else method.rates_by_year(outlook.past, origin)[place].tolist(),
        "used": None if place is None else method.used_rates(outlook.past, origin)[place].tolist(),
        "bars": _levers(outlook, line, kind),
        "origins": _origins(outlook, place),
    }


def _on_file(outlook: Outlook, line: AreaLine, kind: str) -> dict[str, Any]:
    """New estates of the last and of the next years, and the projects with what they make of a share."""
    first, last = outlook.past.last_year + 1 - ESTATES_BEFORE, outlook.past.last_year + len(outlook.city)
    made = projects.expected(db(), outlook)
    with_projects = [
        each.public_share if kind == "public" else each.inclusive_coverage
        for each in made.septembers.get(line.code, ())
    ]
    return {
        "estates": estates.of_area(db(), line.code, first, last) if line.code else (),
        "estates_by_year": () if line.code else estates.by_september(db(), first, last),
        "projects": made.of_area(line.code),
        "late_projects": {each.code for each in made.late},
        "with_projects": with_projects if kind != "total" else (),
        "fill": projects.FILL,
        "stay": projects.STAY,
        "areas": area_names(),
    }


def _levers(outlook: Outlook, line: AreaLine, kind: str) -> tuple[coverage_fan.LeverBar, ...]:
    if not line.code or kind == "total":
        return ()
    kindergartens = coverage_views.private_kindergartens(line.code, with_inclusive=kind == "public")
    turned = levers.usual_size(outlook.past, line.code, kindergartens, public_only=kind == "public")
    found = levers.effects(outlook.past, line.code, public_only=kind == "public", turned=turned)
    return coverage_fan.lever_bars(found)


def _origins(outlook: Outlook, place: int | None) -> list[tuple[int, list[float | None]]]:
    """For each of the last years from which the method forecast: its errors in per cent of the children, by lead."""
    test = outlook.test
    if test is None:
        return []
    rows = []
    for row in range(max(test.origins - 5, 0), test.origins):
        errors = test.city[row, :, 0] if place is None else test.areas[row, :, place, 0]
        rows.append((test.first_origin + row, [None if math.isnan(e) else 100 * math.expm1(e) for e in errors]))
    return rows
