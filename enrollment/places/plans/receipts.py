"""The sum of a level's places, line by line, and the one limit that binds it; without database access.

A parent, a head and an inspector read the same sum: licence 9 classes − 3 − 4 that continue = 2 × 25 = 50.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from enrollment.ground.classifications import LEVELS, Level
from enrollment.places.areas import CLASS_NORM, MOST_CHILDREN
from enrollment.places.class_plan import LevelPlan


class Limit(StrEnum):
    """What has to change before the level can have more places."""

    TEACHERS = "teachers"
    ROOM = "room"
    LICENCE = "licence"
    MOST_CHILDREN = "most_children"
    PLAN = "plan"


@dataclass(frozen=True)
class ReceiptLine:
    """`sign` is `−`, `×`, `=` or empty; `level` is the other level whose classes are subtracted; `unit` is class or child."""

    code: str
    sign: str
    value: int
    unit: str
    level: str | None = None
    binds: bool = False


@dataclass(frozen=True)
class Receipt:
    """`more` are the places that one step at the binding limit would add; 0 where that is not known."""

    lines: tuple[ReceiptLine, ...]
    places: int
    limit: Limit
    more: int


def receipt(
    level: str, plans: Mapping[str, LevelPlan], licensed: int | None, unplanned: Collection[str] = ()
) -> Receipt:
    """The sum of one level among the plans of its kindergarten.  `unplanned` are levels without a plan of their own, whose
    classes in `plans` are those that the children of the roll need."""
    plan = plans[level]
    limit = binding_limit(level, plans, licensed)
    lines = [*_class_lines(level, plans, licensed, limit, unplanned)]
    lines.append(ReceiptLine("staffed", "", plan.staffed_classes, "class", binds=limit == Limit.TEACHERS))
    code = "room" if plan.class_norm < CLASS_NORM[level] else "norm"
    lines.append(ReceiptLine(code, "×", plan.class_norm, "child", binds=limit == Limit.ROOM))
    lines.append(ReceiptLine("capacity", "=", plan.classes * plan.class_norm, "child"))
    lines.append(ReceiptLine("continuing", "−", plan.continuing, "child"))
    lines.append(ReceiptLine("withheld", "−", plan.withheld, "child"))
    return Receipt(tuple(lines), plan.places, limit, _more(level, plans, licensed, limit))


def free_places(places: int, reserved: int, committed: int) -> int:
    """Places that nobody holds and that are not kept for a group."""
    return max(places - reserved - committed, 0)


def _class_lines(
    level: str, plans: Mapping[str, LevelPlan], licensed: int | None, limit: Limit, unplanned: Collection[str]
) -> list[ReceiptLine]:
    """For new children's levels from the licence, less the classes of the others; for the others the classes planned."""
    planned, binds = plans[level].planned_classes, limit in (Limit.LICENCE, Limit.MOST_CHILDREN, Limit.PLAN)
    if licensed is None or level not in (Level.NURSERY, Level.LOWER):
        return [ReceiptLine("planned", "", planned, "class", binds=binds)]
    others = [(other, plans[other].planned_classes) for other in LEVELS if other != level and other in plans]
    left = licensed - sum(classes for _, classes in others)
    lines = [ReceiptLine("licence", "", licensed, "class", binds=limit == Limit.LICENCE)]
    lines += [
        ReceiptLine("on_roll" if other in unplanned else "others", "−", classes, "class", level=other)
        for other, classes in others
        if classes
    ]
    lines.append(ReceiptLine("left", "=", left, "class"))
    if planned != left:
        lines.append(ReceiptLine("planned", "", planned, "class", binds=binds and limit != Limit.LICENCE))
    return lines


def binding_limit(level: str, plans: Mapping[str, LevelPlan], licensed: int | None) -> Limit:
    """The one limit that the places of a level meet first, among the plans of its kindergarten."""
    plan = plans[level]
    if plan.staffed_classes < plan.planned_classes:
        return Limit.TEACHERS
    if plan.class_norm < CLASS_NORM[level]:
        return Limit.ROOM
    if licensed is not None and sum(each.planned_classes for each in plans.values()) >= licensed:
        return Limit.LICENCE
    if sum(each.children for each in plans.values()) >= MOST_CHILDREN:
        return Limit.MOST_CHILDREN
    return Limit.PLAN


def _more(level: str, plans: Mapping[str, LevelPlan], licensed: int | None, limit: Limit) -> int:
    plan = plans[level]
    step = {
        Limit.TEACHERS: (plan.planned_classes - plan.staffed_classes) * plan.class_norm,
        Limit.ROOM: (CLASS_NORM[level] - plan.class_norm) * plan.classes,
        Limit.LICENCE: plan.class_norm,
        Limit.PLAN: 0 if licensed is None else plan.class_norm,
        Limit.MOST_CHILDREN: 0,
    }[limit]
    room = MOST_CHILDREN - sum(each.children for each in plans.values())
    return max(min(step, room), 0)
