"""The two shares of the city and its areas beside their targets, for everybody."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.public import pages
from portal.web import coverage_views
from portal.web.guards import public


@pages.get("/coverage")
@public
def coverage() -> ResponseReturnValue:
    form = coverage_views.asked()
    figures = coverage_views.city(form.definition())
    on_map, inset = coverage_views.patches(figures.areas)
    return render_template(
        "public/coverage.html", form=form, shares=figures, on_map=on_map, inset=inset, pages=coverage_views
    )


@pages.get("/coverage.csv")
@public
def coverage_csv() -> ResponseReturnValue:
    figures = coverage_views.city(coverage_views.asked().definition())
    return coverage_views.as_csv(figures.areas, figures.definition, figures.city, "coverage")
