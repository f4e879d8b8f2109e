"""The officials' coverage pages: the city, and each area down to its kindergartens."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from enrollment.coverage import shares
from portal.officials import pages
from portal.web.guards import desk
from portal.web.shared_views import coverage_views
from portal.web.unit_of_work import db


@pages.get("/coverage")
@desk("officials")
def coverage() -> ResponseReturnValue:
    form = coverage_views.definition_form()
    figures = coverage_views.city_shares(form.definition())
    on_map, inset = coverage_views.map_areas(figures.areas)
    return render_template(
        "officials/coverage.html", form=form, shares=figures, on_map=on_map, inset=inset, pages=coverage_views
    )


@pages.get("/coverage/<area>")
@desk("officials")
def coverage_of_an_area(area: str) -> ResponseReturnValue:
    form, line, lines = _asked_area(area)
    return render_template("officials/coverage_area.html", form=form, line=line, lines=lines, pages=coverage_views)


@pages.get("/coverage/<area>.csv")
@desk("officials")
def coverage_of_an_area_csv(area: str) -> ResponseReturnValue:
    form, line, lines = _asked_area(area)
    return coverage_views.as_csv(lines, form.definition(), line, f"coverage-{area}")


def _asked_area(
    area: str,
) -> tuple[coverage_views.DefinitionForm, shares.CoverageLine, tuple[shares.CoverageLine, ...]]:
    form = coverage_views.definition_form()
    figures = coverage_views.city_shares(form.definition())
    line = next((line for line in figures.areas if line.code == area), None)
    if line is None:
        abort(404)
    return form, line, shares.area_shares(db(), area, figures.definition, year=figures.year)
