"""From which entry and into which class a child moves by a transfer.

The class is one of the school year of that day, and has not moved up yet: otherwise the child would hold up the promotion
of all others, or miss it.
"""

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.places import promotion, roll
from enrollment.places.roll import ClassLine, RollChild, RollClass
from enrollment.places.roll_change_rows import RollTransfer
from enrollment.places.roll_changes.entry_chain import chain_of
from enrollment.places.roll_changes.moves import check_takes_another
from enrollment.places.roll_rows import school_year_of


def classes_on(
    session: Session, kindergarten_id: uuid.UUID, first: dt.date, last: dt.date, *, by: Actor, now: dt.datetime
) -> list[ClassLine]:
    """The classes that a child can enter by name on one of these days: those of their school years that have not moved up."""
    return [
        line
        for year in range(school_year_of(first), school_year_of(last) + 1)
        if promotion.last_promotion(session, kindergarten_id, year) is None
        for line in roll.class_list(session, kindergarten_id, year, by=by, now=now)
        if line.kept_as == "rows"
    ]


def first_day(session: Session, transfer: RollTransfer, *, now: dt.datetime) -> dt.date:
    """The day on which the child moves if both sides agree now."""
    return first_day_of(entry_of(session, transfer), transfer.moves_on, now=now)


def first_day_of(child: RollChild, moves_on: dt.date, *, now: dt.datetime) -> dt.date:
    """The day on which this entry ends by a transfer: the agreed one, or the first that is possible now."""
    return max(moves_on, today(now), child.entered_on)


def check_class(session: Session, there: RollClass, child: RollChild, day: dt.date) -> None:
    """Refuses `class_of_that_year`, `class_has_moved_up`, and what `check_takes_another` refuses."""
    year = school_year_of(day)
    if there.school_year != year:
        raise Refused("class_of_that_year", field="to_class", day=day.isoformat(), year=year)
    if promotion.last_promotion(session, there.kindergarten_id, year) is not None:
        raise Refused("class_has_moved_up", field="to_class", year=year + 1)
    check_takes_another(session, there, child.born, day)


def entry_of(session: Session, transfer: RollTransfer, *, lock: bool = False) -> RollChild:
    """The entry of the child from which it moves: after another class or a promotion in its kindergarten, the newest one."""
    return chain_of(session, transfer.roll_child_id, transfer.from_id, lock=lock)[-1]
