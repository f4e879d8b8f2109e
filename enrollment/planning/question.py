"""What is asked of a plan."""

from dataclasses import asdict, dataclass, field
from typing import Any

from enrollment.ground.errors import Refused
from enrollment.places.measures.rows import ENDS, MeasureKind

ENDING = "ending"
"""Merging and closing count as one kind, so that one cap holds for both."""

FEWEST_YEARS, MOST_YEARS = 2, 5
MOST_BUDGET = 10_000_000


def group_of(kind: str) -> str:
    """The kind under which a plan counts a measure."""
    return ENDING if kind in ENDS else kind


GROUPS = tuple(dict.fromkeys(group_of(kind) for kind in MeasureKind))
"""The kinds of plans, in the order in which a page tells them."""


@dataclass(frozen=True)
class Question:
    """`public` and `covered` are targets in hundredths of a percent for each area and the city from September of `deadline`
    on; with `glide` also on the way there.  `budget` is money a year in 10,000 yuan, None without a limit, `most` caps
    the number of measures of a kind.  `fill` and `stay` are per cent: see `allocation.planning.problem.Problem`."""

    public: int
    covered: int
    deadline: int
    years: int = 5
    budget: int | None = None
    most: dict[str, int] = field(default_factory=lambda: {ENDING: 0})
    glide: bool = False
    fill: int = 85
    stay: int = 20

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Question":
        return cls(**stored)

    def checked(self, first_year: int) -> "Question":
        """The same.  Refuses `plan_targets`, `plan_years`, `plan_deadline`, `plan_budget` and `plan_shares`; `first_year` is the next September's."""
        if not 0 < self.public <= 10_000 or not self.public <= self.covered <= 10_000:
            raise Refused("plan_targets", "public")
        if not FEWEST_YEARS <= self.years <= MOST_YEARS:
            raise Refused("plan_years", "years", fewest=FEWEST_YEARS, most=MOST_YEARS)
        if not first_year <= self.deadline < first_year + self.years:
            raise Refused("plan_deadline", "deadline", first=first_year, last=first_year + self.years - 1)
        if self.budget is not None and not 0 <= self.budget <= MOST_BUDGET:
            raise Refused("plan_budget", "budget", most=MOST_BUDGET)
        if not (0 < self.fill <= 100 and 0 <= self.stay <= 100):
            raise Refused("plan_shares", "fill")
        return self

    def target(self, wanted: int, now: int, year: int, first_year: int) -> int:
        """The target of a September whose share is `now` today; 0 where nothing is asked yet."""
        if year >= self.deadline:
            return wanted
        if not self.glide or now >= wanted:
            return wanted if self.glide else 0
        steps, taken = self.deadline - first_year + 1, year - first_year + 1
        return now + (wanted - now) * taken // steps
