"""The river of a season: at each step as wide as the number of children who are there, or are expected."""

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from enrollment.applications.application_rows import Stage
from enrollment.applications.lifecycle import HANDED_IN, TAKES_PART
from enrollment.draw.participants import AWAITING_DECISION
from enrollment.offers.offer_rows import EXPECTED, LIVE, OfferState
from enrollment.offers.tally import Subject, Tally
from enrollment.season.current_step import STAGES_PUBLISHED, STAGES_WITH_A_DRAW, CalendarStep
from enrollment.season.round_rows import Round, RoundKind

WIDTH, HEIGHT, SLOT_TOP = 1120, 200, 24
"""The drawing's measures.  Stations stand at equal distances, because the steps are of very unequal length."""

THIN = 3.0
"""Half the width of the river where it has no child."""


@dataclass(frozen=True)
class Numbers:
    """Children of a season now.  `expected` is at most how many can get a place: there are no more children and places."""

    handed_in: int
    waiting: int
    returned: int
    reviewed: int
    takes_part: int
    placed: int
    confirmed: int
    arrived: int
    places: int
    frozen: bool
    published: bool

    @property
    def expected(self) -> int:
        return min(self.handed_in, self.places)

    @property
    def with_place(self) -> int:
        return self.placed if self.published else self.expected

    @property
    def without_place(self) -> int:
        return max((self.takes_part if self.frozen else self.handed_in) - self.with_place, 0)


def numbers(tally: Tally, year: int, rounds: Sequence[Round], places: int) -> Numbers:
    main = [each.stage for each in rounds if each.kind == RoundKind.MAIN]

    def applications(states) -> int:
        return tally.total(Subject.APPLICATION, states, year)

    def offers(states) -> int:
        return tally.total(Subject.OFFER, states, year)

    handed_in, waiting = applications(HANDED_IN), applications(AWAITING_DECISION)
    return Numbers(
        handed_in=handed_in,
        waiting=waiting,
        returned=applications((Stage.RETURNED,)),
        reviewed=handed_in - waiting,
        takes_part=applications(TAKES_PART),
        placed=offers(LIVE),
        confirmed=offers((*EXPECTED, OfferState.ARRIVED)),
        arrived=offers((OfferState.ARRIVED,)),
        places=places,
        frozen=any(stage in STAGES_WITH_A_DRAW for stage in main),
        published=any(stage in STAGES_PUBLISHED for stage in main),
    )


@dataclass(frozen=True)
class Station:
    """A step with its children; `is_expected` while it is not known how many there will be."""

    step: CalendarStep
    children: int
    is_expected: bool
    x: float
    half: float


@dataclass(frozen=True)
class River:
    """`band` is the outline of the river, `side` the way of the children without a place, `today` where the day is."""

    stations: tuple[Station, ...]
    band: str
    side: str
    today: float


def of_season(steps: Sequence[CalendarStep], found: Numbers, now: dt.datetime) -> River:
    told = [_children(each.step, found) for each in steps]
    widest = max([children for children, _expected in told] + [1])
    slot = WIDTH / max(len(steps), 1)
    room = HEIGHT / 2 - SLOT_TOP - THIN
    stations = tuple(
        Station(step, children, is_expected, (at + 0.5) * slot, THIN + room * children / widest)
        for at, (step, (children, is_expected)) in enumerate(zip(steps, told, strict=True))
    )
    return River(stations, _band(stations), _side(stations, found, room / widest), _today(steps, slot, now))


def _children(step: str, found: Numbers) -> tuple[int, bool]:
    """How many children are at a step, and whether this is only expected."""
    match step:
        case "announcement":
            return 0, False
        case "registration" | "review":
            return found.handed_in, False
        case "draw":
            return (found.takes_part, False) if found.frozen else (found.handed_in, True)
        case "arrival":
            return (found.arrived, False) if found.arrived else (found.with_place, True)
        case "confirmation" if found.published:
            return found.confirmed, False
        case _:
            return found.with_place, not found.published


def _band(stations: Sequence[Station]) -> str:
    """The upper edge from left to right, and the lower one back."""
    if not stations:
        return ""
    middle = HEIGHT / 2
    upper = [(0.0, middle - stations[0].half), *((each.x, middle - each.half) for each in stations)]
    upper.append((float(WIDTH), middle - stations[-1].half))
    lower = [(x, 2 * middle - y) for x, y in reversed(upper)]
    return f"M{_point(upper[0])}{_curves(upper)}L{_point(lower[0])}{_curves(lower)}Z"


def _side(stations: Sequence[Station], found: Numbers, scale: float) -> str:
    """From the result to the next round, below the river: as wide as those without a place."""
    where = {each.step.step: each for each in stations}
    if not found.without_place or not {"result", "supplementary"} <= where.keys():
        return ""
    begin, end = where["result"], where["supplementary"]
    wide = max(2 * scale * found.without_place, 2 * THIN)
    low = HEIGHT - THIN - wide / 2
    line = [
        (begin.x, HEIGHT / 2 + begin.half),
        ((begin.x + end.x) / 2, low),
        (end.x, HEIGHT / 2 + end.half),
    ]
    return f"M{_point(line[0])}{_curves(line)}"


def _point(at: tuple[float, float]) -> str:
    return f"{at[0]:.1f} {at[1]:.1f}"


def _curves(line: Sequence[tuple[float, float]]) -> str:
    """Level at every point, so that the width at a station is exactly its number."""
    drawn = []
    for (x, y), (to_x, to_y) in itertools.pairwise(line):
        middle = (x + to_x) / 2
        drawn.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
    return "".join(drawn)


def _today(steps: Sequence[CalendarStep], slot: float, now: dt.datetime) -> float:
    """The place of a moment: each step begins at the left edge of its slot, and the last one ends at the right edge."""
    if not steps or now <= steps[0].begins_at:
        return 0.0
    edges = [each.begins_at for each in steps] + [max(each.ends_at for each in steps)]
    for at, (begins, ends) in enumerate(itertools.pairwise(edges)):
        if begins <= now < ends:
            return slot * (at + (now - begins) / (ends - begins))
    return slot * len(steps)
