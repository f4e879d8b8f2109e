"""A town whose public places are too few, and measures for it.  100 children: 45 public, 40 inclusive, 15 other."""

from enrollment.ground.classifications import Nature
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.measures import library
from enrollment.places.measures.library import Values
from enrollment.places.measures.rows import LEAD, Measure, MeasureKind
from enrollment.planning.question import ENDING, Question
from tests.support.town import Town

QUESTION = Question(5100, 8200, deadline=2027, years=3, most={ENDING: 0})


def children(town: Town, area: str = "510104") -> dict[str, Kindergarten]:
    """Three kindergartens of the area with their classes."""
    found = {}
    for nature, level, number in (("public", "middle", 45), ("inclusive", "upper", 40), ("private", "lower", 15)):
        found[nature] = town.kindergarten(
            f"{area}{nature}", area=area, nature=nature, code=f"{area}{nature[:3].upper()}"
        )
        town.roll(found[nature], level, number)
    return found


def measure(town: Town, kind: MeasureKind, places: int, cost: int, **more) -> Measure:
    """Added by the city; `of` is a kindergarten that is turned or ended."""
    place = more.pop("of", None)
    values = {
        "name": f"{kind} {places}",
        "kind": kind,
        "area": place.area_code if place else "510104",
        "kindergarten": place.code if place else "",
        "nature": Nature.PUBLIC,
        "places": places,
        "cost": cost,
        "yearly": 0,
        "earliest_year": 2026,
        "lead_years": LEAD[kind],
    } | more
    return library.add(town.session, Values(**values), by=town.city_official(), now=town.now)
