"""The class plan of a kindergarten: licensed classes and the resulting places, without database access.

Licensed capacity is not free capacity: classes that continue are already full.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from enrollment.ground.errors import Refused
from enrollment.places.areas import CLASS_NORM, MOST_CHILDREN

NUMBERS = ("planned_classes", "staffed_classes", "class_norm", "continuing", "withheld")
MOST_CLASSES = 60


def places_of_level(planned_classes: int, staffed_classes: int, class_norm: int, continuing: int, withheld: int) -> int:
    """Places of a class level that families can be offered, never below zero.

    min(planned, staffed classes) × class norm − continuing − withheld.  The table `programme` checks the same sum on
    every row (`places_follow_the_class_plan`).
    """
    return max(min(planned_classes, staffed_classes) * class_norm - continuing - withheld, 0)


@dataclass(frozen=True)
class LevelPlan:
    """One class level: planned and staffed classes, children per class, continuing children, places not in the draw."""

    planned_classes: int = 0
    staffed_classes: int = 0
    class_norm: int = 25
    continuing: int = 0
    withheld: int = 0

    @property
    def classes(self) -> int:
        return min(self.planned_classes, self.staffed_classes)

    @property
    def places(self) -> int:
        return places_of_level(
            self.planned_classes, self.staffed_classes, self.class_norm, self.continuing, self.withheld
        )

    @property
    def children(self) -> int:
        """Number of children when every place is taken."""
        return self.continuing + self.places


def plan_of(row) -> LevelPlan:
    """The numbers of a programme as a plan."""
    return LevelPlan(**{number: getattr(row, number) for number in NUMBERS})


def check_level(level: str, plan: LevelPlan) -> None:
    """Refuse numbers that are impossible for this level, with the field to correct and the sum that does not come out."""
    for number in NUMBERS:
        if getattr(plan, number) < 0:
            raise Refused("number_negative", field=number)
    if not 1 <= plan.class_norm <= CLASS_NORM[level]:
        raise Refused("class_norm_too_high", field="class_norm", norm=CLASS_NORM[level])
    if max(plan.planned_classes, plan.staffed_classes) > MOST_CLASSES:
        raise Refused("too_many_classes", field="planned_classes", most=MOST_CLASSES)
    if max(plan.continuing, plan.withheld) > MOST_CHILDREN:
        raise Refused("too_many_children", field="continuing", most=MOST_CHILDREN)
    capacity = plan.classes * plan.class_norm
    told = {"classes": plan.classes, "norm": plan.class_norm, "capacity": capacity, "continuing": plan.continuing}
    if plan.continuing > capacity:
        raise Refused("continuing_above_classes", field="continuing", **told)
    if plan.withheld > capacity - plan.continuing:
        raise Refused("withheld_above_free", field="withheld", free=capacity - plan.continuing, n=plan.withheld, **told)


def check_kindergarten(plans: Mapping[str, LevelPlan], licensed_classes: int | None) -> None:
    """Refuse a plan with more classes than licensed, or more children than a kindergarten may have.

    None is a licence that nobody has entered: unknown is not zero.
    """
    planned = sum(plan.planned_classes for plan in plans.values())
    if licensed_classes is not None and planned > licensed_classes:
        raise Refused("more_classes_than_licensed", field="planned_classes", planned=planned, licensed=licensed_classes)
    children = sum(plan.children for plan in plans.values())
    if children > MOST_CHILDREN:
        raise Refused("more_than_360_children", field="planned_classes", children=children, most=MOST_CHILDREN)
