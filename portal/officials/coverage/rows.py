"""The rows behind figures of the two shares: a class level by area and by kindergarten, and the seats that a kindergarten
could give to the next tenth of a point."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from enrollment.coverage import shares, steps
from enrollment.ground.classifications import CLASS_LEVELS
from enrollment.places import kindergartens
from enrollment.places.kindergartens import Kindergarten
from portal.officials import pages
from portal.officials.scope import READERS, my_areas
from portal.officials.years import chosen_year
from portal.web.guards import desk
from portal.web.shared_views import coverage_views
from portal.web.unit_of_work import actor, db


@pages.get("/coverage/levels/<level>")
@desk("officials")
def coverage_level(level: str) -> ResponseReturnValue:
    """The areas, and with `?area=` the kindergartens of one, whose sum is the number of the card."""
    if level not in CLASS_LEVELS:
        abort(404)
    form = coverage_views.definition_form()
    figures = coverage_views.city_shares(form.definition(), year=chosen_year())
    by_area = shares.areas_of_level(figures, level)
    code = request.args.get("area", "")
    here = next((line for line in figures.areas if line.code == code), None)
    if code and here is None:
        abort(404)
    return render_template(
        "officials/coverage_level.html",
        form=form,
        shares=figures,
        level=level,
        here=here,
        lines=[(line, by_area[line.code]) for line in figures.areas if by_area[line.code].all],
        total=by_area[here.code] if here else shares.levels_of(figures).get(level),
        gardens=_gardens(code, figures, level) if here else (),
        opens=_opens(code),
        pages=coverage_views,
    )


def _gardens(area: str, figures: shares.Shares, level: str) -> list[tuple[shares.KindergartenLine, int]]:
    found = coverage_views.area_shares(area, figures)
    return [(line, line.children[level]) for line in found if line.children.get(level)]


@pages.get("/coverage/steps/<code>")
@desk("officials")
def coverage_step(code: str) -> ResponseReturnValue:
    """The classes of a kindergarten with the seats that are free by the norm, and the children it would bring by turning."""
    form = coverage_views.definition_form()
    garden: Kindergarten | None = kindergartens.by_code(db(), code)
    if garden is None:
        abort(404)
    return render_template(
        "officials/coverage_step.html",
        form=form,
        garden=garden,
        classes=steps.classes_of(db(), form.definition().on, garden.id),
        opens=_opens(garden.area_code),
    )


def _opens(area: str) -> bool:
    """Whether the reader may open the roll of a kindergarten of this area."""
    return actor().is_any(*READERS) and area in {each.code for each in my_areas()}
