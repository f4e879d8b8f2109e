"""The promotion sheet as values: what becomes of each class, and the exceptions that a person decides."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from enum import StrEnum

from enrollment.ground.classifications import Level
from enrollment.places.areas import NEXT_LEVEL
from enrollment.places.roll import RollClass


class ExceptionKind(StrEnum):
    """Why a person decides: of school age already, not of school age yet, more than the norm, more classes than have teachers."""

    OF_SCHOOL_AGE = "of_school_age"
    TOO_YOUNG_FOR_SCHOOL = "too_young_for_school"
    ABOVE_NORM = "above_norm"
    NO_TEACHERS = "no_teachers"


class Choice(StrEnum):
    PROMOTE = "promote"
    GRADUATE = "graduate"
    STAY = "stay"
    ACCEPT = "accept"


CHOICES = {
    ExceptionKind.OF_SCHOOL_AGE: (Choice.GRADUATE, Choice.PROMOTE),
    ExceptionKind.TOO_YOUNG_FOR_SCHOOL: (Choice.GRADUATE, Choice.STAY),
    ExceptionKind.ABOVE_NORM: (Choice.ACCEPT,),
    ExceptionKind.NO_TEACHERS: (Choice.ACCEPT,),
}


@dataclass(frozen=True)
class PromotionException:
    """`key` names it in a form.  `child_id` is None where it is about a class or a level; `n` and `norm` are its numbers."""

    key: str
    kind: ExceptionKind
    class_name: str
    child_id: uuid.UUID | None = None
    born: dt.date | None = None
    n: int = 0
    norm: int = 0

    @property
    def choices(self) -> tuple[Choice, ...]:
        return CHOICES[self.kind]


@dataclass
class ClassPromotion:
    """The promotion of one class; `to_level` None: it leaves for school.  The ids are of classes that are kept by name.

    `joins` is a class of the new year that is there already and takes the children, `there` the number that it has.
    """

    roll_class: RollClass
    to_name: str
    to_level: str | None
    children: int = 0
    leavers: int = 0
    promoted: list[uuid.UUID] = field(default_factory=list)
    graduated: list[uuid.UUID] = field(default_factory=list)
    staying: list[uuid.UUID] = field(default_factory=list)
    joins: RollClass | None = None
    there: int = 0


@dataclass
class Promotion:
    """`to_check` are mixed classes kept as a count, whose leavers are unknown."""

    from_year: int
    steps: list[ClassPromotion] = field(default_factory=list)
    exceptions: list[PromotionException] = field(default_factory=list)
    to_check: list[str] = field(default_factory=list)
    open: list[PromotionException] = field(default_factory=list)

    @property
    def children(self) -> int:
        return sum(step.children - step.leavers for step in self.steps)

    @property
    def leavers(self) -> int:
        return sum(step.leavers for step in self.steps)

    @property
    def by_target(self) -> list[tuple[str, int]]:
        """(level, or `graduated`, number of children): the parts of the sum over the whole roll."""
        sums: dict[str, int] = {}
        for step in self.steps:
            if step.to_level is not None:
                sums[step.to_level] = sums.get(step.to_level, 0) + step.children - step.leavers
            sums["graduated"] = (
                sums.get("graduated", 0) + step.leavers - (len(step.staying) if not step.to_level else 0)
            )
        stay = sum(len(step.staying) for step in self.steps)
        sums[Level.UPPER] = sums.get(Level.UPPER, 0) + stay
        order = [*NEXT_LEVEL, "graduated"]
        return sorted(((target, n) for target, n in sums.items() if n), key=lambda part: order.index(part[0]))
