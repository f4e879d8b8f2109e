"""The page of a kindergarten: how many ask for it and how far the last list went, places, way, fee, and its register data."""

from flask import render_template
from flask.typing import ResponseReturnValue

from enrollment.chances import demand
from enrollment.ground.errors import NotFound
from enrollment.places import finder
from enrollment.places.grades import held
from enrollment.places.search.offered import Offer
from enrollment.results import cut_offs
from portal.public import pages
from portal.public.kindergartens import years_with_places
from portal.text import ledger_entries
from portal.web.guards import public
from portal.web.shared_views.finder import cards, question
from portal.web.unit_of_work import db


@pages.get("/kindergartens/<code>")
@public
def kindergarten_page(code: str) -> ResponseReturnValue:
    kindergarten = finder.kindergarten_of_code(db(), code)
    if kindergarten is None:
        raise NotFound
    years = years_with_places()
    offered = [
        (year, finder.programmes_offered(db(), [kindergarten.id], year).get(kindergarten.id, [])) for year in years
    ]
    newest = years[0] if years else None
    asked = question.read()
    hits = finder.of_codes(db(), [code], year=newest, start=asked.question.start)
    hit = hits[0] if hits else finder.Hit(1, kindergarten, None, list[Offer]())
    level = hit.level(asked.question.level)
    now = demand.of_year(db(), newest)
    return render_template(
        "public/kindergarten.html",
        kindergarten=kindergarten,
        hit=hit,
        level=level,
        asked=asked,
        last=cards.last_year(newest),
        demand=now.of.get((kindergarten.id, level)) if now else None,
        counted_at=now.counted_at if now else None,
        year=newest,
        offered=offered,
        sites=finder.other_sites(db(), kindergarten),
        served=finder.service_area_names(db(), kindergarten.id),
        lines=cut_offs.published_of(db(), kindergarten.id),
        grade_history=[each for each in held.history(db(), kindergarten.id) if not each.was_mistake],
        grounds=ledger_entries.grounds,
    )
