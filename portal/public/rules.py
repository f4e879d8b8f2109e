"""The rules of each area in words, generated from the signed policy file."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from enrollment.places.areas import all_areas
from enrollment.season import policy_approval
from portal.public import pages
from portal.text import policy_rules
from portal.web.admission_year import links_to_visible_years, shown_season
from portal.web.guards import public
from portal.web.unit_of_work import db


@pages.get("/rules")
@public
def rules_list() -> ResponseReturnValue:
    season = shown_season()
    signed = policy_approval.policies_in_force(db(), season.year) if season else {}
    lines = [(area, policy_approval.rules_of(signed[area.code])) for area in all_areas(db()) if area.code in signed]
    waiting = [area for area in all_areas(db()) if area.code not in signed]
    return render_template(
        "public/rules.html", season=season, lines=lines, waiting=waiting, years=links_to_visible_years()
    )


@pages.get("/rules/<code>")
@public
def rules_of_an_area(code: str) -> ResponseReturnValue:
    season = shown_season()
    area = next((area for area in all_areas(db()) if area.code == code), None)
    if season is None or area is None:
        abort(404)
    signed = policy_approval.policy_in_force(db(), season.year, code)
    rules = policy_approval.rules_of(signed) if signed else None
    return render_template(
        "public/rules_area.html",
        season=season,
        area=area,
        signed=signed,
        rules=rules,
        policy_words=policy_rules,
        years=links_to_visible_years(),
    )


@pages.get("/rules/<code>/<int:version>.toml")
@public
def rules_file(code: str, version: int) -> ResponseReturnValue:
    """The signed policy file, so that anybody can check its digest."""
    season = shown_season()
    made = policy_approval.versions(db(), season.year, code) if season else []
    found = next((each for each in made if each.version == version and each.signed_at), None)
    if found is None:
        abort(404)
    return found.text, 200, {"Content-Type": "text/plain; charset=utf-8"}
