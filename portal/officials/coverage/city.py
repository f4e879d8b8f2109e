"""The city at a glance: both shares today, in September and in three years, alarms, areas, the next tenth of a point."""

import datetime as dt

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.coverage import alarm_readings, alarms, changes, next_tenth, roll_confirmations, shares
from enrollment.coverage.forecast.outlook import Outlook, ShareOutlook
from portal.officials import pages
from portal.officials.coverage import headlines
from portal.officials.scope import DECIDERS, my_areas
from portal.officials.years import chosen_year
from portal.web.guards import desk
from portal.web.shared_views import coverage_charts, coverage_views
from portal.web.unit_of_work import actor, clock, db

FIRST_ALARMS = 3


@pages.get("/coverage")
@desk("officials")
def coverage() -> ResponseReturnValue:
    form = coverage_views.definition_form()
    figures = coverage_views.city_shares(form.definition(), year=chosen_year())
    outlook = coverage_views.outlook_of(figures)
    lines = headlines.areas_by_gap(figures.areas)
    since = _since(form)
    found = alarms.alarms(db(), figures, outlook, {area.code for area in my_areas()})
    return render_template(
        "officials/coverage.html",
        form=form,
        shares=figures,
        outlook=outlook if isinstance(outlook, Outlook) else None,
        missing=None if isinstance(outlook, Outlook) else outlook,
        heading=headlines.headline(figures.city, outlook),
        lines=lines,
        tiles=_tiles(figures, outlook),
        plot=_plot(figures, outlook, lines) if figures.city.now.all else None,
        maps=coverage_views.three_maps(figures, outlook),
        alarms=found,
        first_alarms=found[:FIRST_ALARMS],
        readings=alarm_readings.first_readings(db(), found, coverage_views.target_year()),
        tenth=next_tenth.next_tenth(db(), figures) if figures.city.now.all else None,
        fresh=figures.snapshot.dates,
        confirmed=roll_confirmations.newest(db(), clock()),
        levels=shares.levels_of(figures),
        since=since,
        changes=changes.changes(db(), figures, since) if since else (),
        pages=coverage_views,
        chance_text=headlines.chance_text,
        to_spare=alarms.to_spare,
        september_of=lambda line: headlines.september_of(line, outlook),
        may_import=actor().is_any(*DECIDERS),
    )


def _since(form: coverage_views.DefinitionForm) -> dt.date | None:
    """The earlier day to compare with, if the reader chose one that can be."""
    return form.since.data if "since" in request.args and not form.since.errors else None


def _tiles(figures: coverage_views.Shares, outlook: object) -> dict[str, coverage_charts.TileChart]:
    city = figures.city
    later: dict[str, list[tuple[str, ShareOutlook]]] = {"public": [], "inclusive": []}
    if isinstance(outlook, Outlook):
        for september in (outlook.city[0], *outlook.city[1:][-1:]):
            label = _("%(year)s.9", year=september.school_year)
            later["public"].append((label, september.public))
            later["inclusive"].append((label, september.inclusive))
    return {
        "public": coverage_charts.tile_chart(
            city.now.public_share, city.least.public_target, later["public"], _("今天")
        ),
        "inclusive": coverage_charts.tile_chart(
            city.now.inclusive_coverage, city.least.inclusive_target, later["inclusive"], _("今天")
        ),
    }


def _plot(
    figures: coverage_views.Shares, outlook: object, lines: list[coverage_views.AreaLine]
) -> coverage_charts.DotPlot:
    september = {}
    if isinstance(outlook, Outlook):
        september = {code: (first.public, first.inclusive) for code, (first, *_later) in outlook.septembers.items()}
    return coverage_charts.dot_plot(lines, figures.city, september)
