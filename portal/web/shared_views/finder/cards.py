"""What a list of kindergartens says of each beside its own data: how many asked for it, and how far the last list went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from enrollment.chances import demand
from enrollment.chances.demand import Counted
from enrollment.eligibility.home_points import HomePoint
from enrollment.ground.classifications import Level
from enrollment.places import finder
from enrollment.places.finder import Found, Hit
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.search.named_places import Start
from enrollment.results import last_lines
from enrollment.results.cut_offs import PublicLine
from enrollment.results.last_lines import LastLines
from portal.web.shared_views.finder.question import Asked
from portal.web.unit_of_work import db


@dataclass(frozen=True)
class LastYear:
    """What is known of the newest result: the line of the open places, and the children who asked for each of them."""

    lines: LastLines
    counted: demand.YearDemand | None

    @property
    def year(self) -> int | None:
        return self.lines.year

    def line(self, kindergarten: Kindergarten, level: str) -> PublicLine | None:
        return self.lines.of.get((kindergarten.id, level))

    def demand(self, kindergarten: Kindergarten, level: str) -> Counted | None:
        return None if self.counted is None else self.counted.of.get((kindergarten.id, level))

    def per_place(self, kindergarten: Kindergarten, level: str) -> float | None:
        """Children who asked for each place of the level; None where one of the numbers is not public."""
        line, counted = self.line(kindergarten, level), self.demand(kindergarten, level)
        places = self.places(kindergarten, level)
        if line is None or counted is None or counted.children is None or not places:
            return None
        return counted.children / places

    def places(self, kindergarten: Kindergarten, level: str) -> int | None:
        return self.lines.places.get((kindergarten.id, level))


def last_year(year: int | None) -> LastYear:
    """What is known of the newest result before this year."""
    lines = last_lines.before(db(), year)
    return LastYear(lines, demand.of_year(db(), lines.year) if lines.year else None)


def found_by(asked: Asked, year: int | None, last: LastYear) -> Found:
    """The page of the list."""
    ease = last.lines.ease(asked.question.level or Level.LOWER)
    return finder.search(db(), asked.question, year=year, ease=ease, page=asked.page)


def pins_of(asked: Asked, year: int | None, last: LastYear) -> list[Hit]:
    """Every kindergarten of the list, for the map."""
    return finder.points(db(), asked.question, year=year, ease=last.lines.ease(asked.question.level or Level.LOWER))


def points_of(listed: Sequence[Kindergarten], start: Start | HomePoint | None) -> dict[str, Any]:
    """The pins of the map in the order of the list: degrees times 10,000 (None without a point), and a letter for the nature."""
    return {
        "lon": [None if each.longitude is None else round(each.longitude * 10_000) for each in listed],
        "lat": [None if each.latitude is None else round(each.latitude * 10_000) for each in listed],
        "nature": "".join(each.nature[1] for each in listed),
        "start": [start.longitude, start.latitude] if start else None,
    }
