"""The two shares of the city and its areas beside their targets, for everybody."""

from flask import render_template

from portal import coverage_pages
from portal.guards import public
from portal.public import pages


@pages.get("/coverage")
@public
def coverage():
    form = coverage_pages.asked()
    figures = coverage_pages.city(form.definition())
    on_map, inset = coverage_pages.patches(figures.areas)
    return render_template(
        "public/coverage.html", form=form, shares=figures, on_map=on_map, inset=inset, pages=coverage_pages
    )


@pages.get("/coverage.csv")
@public
def coverage_csv():
    figures = coverage_pages.city(coverage_pages.asked().definition())
    return coverage_pages.as_csv(figures.areas, figures.definition, figures.city, "coverage")
