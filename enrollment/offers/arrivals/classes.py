"""The classes that a new child can go into: those of its level, the least full first."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import Refused
from enrollment.places import roll
from enrollment.places.programmes import Programme
from enrollment.places.promotion import LETTER
from enrollment.places.roll import RollClass

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


def lock(session: Session, names: Collection[str], year: int, *, by: Actor) -> None:
    """Lock the classes of these names at the actor's kindergartens, in one order: two tablets whose children go into the
    same classes in another order else wait for each other."""
    session.execute(
        select(RollClass.id)
        .where(RollClass.kindergarten_id.in_(by.kindergartens), RollClass.school_year == year)
        .where(RollClass.name.in_(names))
        .order_by(RollClass.id)
        .with_for_update()
    ).all()


def refuse_full(session: Session, programme: Programme, class_name: str, *, by: Actor, now: dt.datetime) -> None:
    """The head decides above the norm of a class, and about a class that is not in the plan.

    The class is locked before its children are counted: of two tablets the second one counts the child of the first.

    Refuses `class_is_full`, `class_not_of_this_level`, and what the roll refuses about a class that is opened now.
    """
    place, year = programme.kindergarten_id, programme.year
    is_there = roll.class_of_name(session, place, year, class_name) is not None
    chosen = _choice_of(session, programme, class_name, by=by, now=now)
    if chosen is not None and not is_there:
        roll.ensure_class(session, place, class_name, programme.level, year, "rows", by=by, now=now)
        chosen = _choice_of(session, programme, class_name, by=by, now=now)
    if chosen is None:
        if by.is_any(Role.HEAD):
            return  # a new class; the roll refuses a name that a class of another level has
        raise Refused("class_not_of_this_level", field="class_name")
    if chosen.is_full and not by.is_any(Role.HEAD):
        raise Refused("class_is_full", field="class_name", norm=chosen.norm)


def _choice_of(
    session: Session, programme: Programme, class_name: str, *, by: Actor, now: dt.datetime
) -> ClassChoice | None:
    listed = choices(session, programme, by=by, now=now)
    return next((each for each in listed if each.name == class_name), None)
