"""What the page of a kindergarten shows, the same for everybody and for a family that may wish for it."""

from typing import Any

from enrollment.chances import demand
from enrollment.open_days import days
from enrollment.places import finder
from enrollment.places.grades import held
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.search.offered import Offer
from enrollment.results import cut_offs
from enrollment.season import openings
from portal.text import ledger_entries
from portal.web.shared_views.finder import cards, question
from portal.web.unit_of_work import clock, db


def shown(kindergarten: Kindergarten, years: list[int], *, level: str | None = None) -> dict[str, Any]:
    """The values of `public/kindergarten.html`.  `years` are those whose places are shown, the newest first; `level` is that of
    the child, otherwise the one asked for or the first that the kindergarten offers."""
    offered = [
        (year, finder.programmes_offered(db(), [kindergarten.id], year).get(kindergarten.id, [])) for year in years
    ]
    newest = years[0] if years else None
    asked = question.read()
    hits = finder.of_codes(db(), [kindergarten.code], year=newest, start=asked.question.start)
    hit = hits[0] if hits else finder.Hit(1, kindergarten, None, list[Offer]())
    shown_level = level or hit.level(asked.question.level)
    now = demand.of_year(db(), newest)
    return {
        "kindergarten": kindergarten,
        "hit": hit,
        "level": shown_level,
        "asked": asked,
        "last": cards.last_year(newest),
        "demand": now.of.get((kindergarten.id, shown_level)) if now else None,
        "counted_at": now.counted_at if now else None,
        "year": newest,
        "offered": offered,
        "sites": finder.other_sites(db(), kindergarten),
        "served": finder.service_area_names(db(), kindergarten.id),
        "lines": cut_offs.published_of(db(), kindergarten.id),
        "grade_history": [each for each in held.history(db(), kindergarten.id) if not each.was_mistake],
        "grounds": ledger_entries.grounds,
        "open_days": days.upcoming(db(), kindergarten.id, now=clock()),
        "takes_wishes": bool(openings.open_rounds(db(), now=clock())),
        "now": clock(),
    }
