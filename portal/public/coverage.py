"""The public coverage page: the two shares of the city and its areas with their targets."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.coverage.forecast.outlook import Outlook
from portal.public import pages
from portal.web.guards import public
from portal.web.page_data.kept_pages import kept
from portal.web.shared_views import coverage_files, coverage_squares, coverage_views

COUNTED = (
    "area", "area_births", "area_history", "coverage_change", "coverage_rollup", "estate", "measure", "programme", "roll_count",
    "round", "run", "target_decision",
)  # fmt: skip
"""The tables of the page, beside the catalogue."""

NOTED = (
    "arrival_entry", "child_document", "kindergarten", "offer", "roll_child", "roll_class", "roll_class_day", "roll_promotion",
    "roll_transfer",
)  # fmt: skip
"""Tables of the page whose changes add a row to `coverage_change` (ADR 33).  Arrivals and finished transfers do it with the rows
of the roll that they write."""


@pages.get("/coverage")
@public
@kept(tables=COUNTED, noted=NOTED, queries=("area", "year"))
def coverage() -> ResponseReturnValue:
    return _page(coverage_views.definition_form())


def _page(form: coverage_views.DefinitionForm) -> str:
    figures = coverage_views.city_shares(form.definition(), year=coverage_views.public_year())
    outlook = coverage_views.outlook_of(figures)
    chosen = next((line for line in figures.areas if line.code == request.args.get("area")), None)
    septembers = outlook.septembers if isinstance(outlook, Outlook) else {}
    now = figures.city.now
    return render_template(
        "public/coverage.html",
        heading=_heading(figures),
        form=form,
        shares=figures,
        years=coverage_views.public_years(figures.year),
        maps=coverage_views.three_maps(figures, outlook),
        public_squares=coverage_squares.squares(now.public_share),
        inclusive_squares=coverage_squares.squares(now.inclusive_coverage),
        september=septembers[""][0] if septembers else None,
        chosen=chosen,
        chosen_september=septembers[chosen.code][0] if chosen and septembers else None,
        pages=coverage_views,
    )


def _heading(figures: coverage_views.Shares) -> str:
    """The finding in natural frequencies, never rounded up."""
    now = figures.city.now
    if not now.all:
        return _("公办占比与普惠覆盖率")
    return _(
        "每 100 个在园的孩子，%(public)s 个在公办园，%(both)s 个在公办或普惠园",
        public=coverage_squares.whole_hundredths(now.public_share),
        both=coverage_squares.whole_hundredths(now.inclusive_coverage),
    )


@pages.get("/coverage.csv")
@public
def coverage_csv() -> ResponseReturnValue:
    """The file; for a definition that cannot be, the page with the reason, because a file cannot say it."""
    form = coverage_views.definition_form()
    if form.errors:
        return _page(form), 400
    return coverage_files.city_csv(coverage_views.city_shares(form.definition(), year=coverage_views.public_year()))
