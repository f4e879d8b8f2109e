"""The classes that a new child can go into: those of its level, the least full first."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import Refused
from enrollment.places import roll
from enrollment.places.programmes import Programme
from enrollment.places.promotion import LETTER

NUMBERS = "一二三四五六七八九十"


@dataclass(frozen=True)
class ClassChoice:
    """A class of the level.  A class of the plan without children yet is created when its first child arrives."""

    name: str
    children: int
    norm: int

    @property
    def is_full(self) -> bool:
        return self.children >= self.norm


def choices(session: Session, programme: Programme, *, by: Actor, now: dt.datetime) -> list[ClassChoice]:
    """The classes of the programme's level and year that are kept by name, and those of its plan that have no child yet."""
    lines = roll.class_list(session, programme.kindergarten_id, programme.year, by=by, now=now)
    mine = [line for line in lines if line.level == programme.level]
    there = [ClassChoice(line.name, line.children, programme.class_norm) for line in mine if line.kept_as == "rows"]
    planned = min(programme.planned_classes, programme.staffed_classes)
    taken = {line.name for line in lines}
    names = (f"{LETTER[programme.level]}{number}班" for number in NUMBERS)
    fresh = [name for name in names if name not in taken][: max(planned - len(mine), 0)]
    there += [ClassChoice(name, 0, programme.class_norm) for name in fresh]
    return sorted(there, key=lambda each: (each.is_full, each.children - each.norm, each.name))


def refuse_full(session: Session, programme: Programme, class_name: str, *, by: Actor, now: dt.datetime) -> None:
    """The head decides above the norm of a class, and about a class that is not in the plan.

    Refuses `class_is_full`, `class_not_of_this_level`.
    """
    known = {each.name: each for each in choices(session, programme, by=by, now=now)}
    chosen = known.get(class_name)
    if chosen is None:
        if by.is_any(Role.HEAD):
            return  # a new class; the roll refuses a name that a class of another level has
        raise Refused("class_not_of_this_level", field="class_name")
    if chosen.is_full and not by.is_any(Role.HEAD):
        raise Refused("class_is_full", field="class_name", norm=chosen.norm)
