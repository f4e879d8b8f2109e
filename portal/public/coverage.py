"""The public coverage page: the two shares of the city and its areas with their targets."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.public import pages
from portal.web.guards import public
from portal.web.shared_views import coverage_views


@pages.get("/coverage")
@public
def coverage() -> ResponseReturnValue:
    form = coverage_views.definition_form()
    figures = coverage_views.city_shares(form.definition())
    on_map, inset = coverage_views.map_areas(figures.areas)
    return render_template(
        "public/coverage.html", form=form, shares=figures, on_map=on_map, inset=inset, pages=coverage_views
    )


@pages.get("/coverage.csv")
@public
def coverage_csv() -> ResponseReturnValue:
    figures = coverage_views.city_shares(coverage_views.definition_form().definition())
    return coverage_views.as_csv(figures.areas, figures.definition, figures.city, "coverage")
