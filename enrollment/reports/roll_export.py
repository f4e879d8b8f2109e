"""The roll as a list to take away: classes with their numbers, and children masked."""

import datetime as dt
import uuid

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.vault import mask
from enrollment.places import roll
from enrollment.places.roll import RollChild


def export_classes(
    session: Session, kindergarten_id: uuid.UUID, school_year: int, *, by: Actor, now: dt.datetime
) -> list[tuple[int, str, str, int]]:
    """(school year, class, level code, children) for each class.  An import takes these columns as they are."""
    lines = roll.class_list(session, kindergarten_id, school_year, by=by, now=now)
    audit.record(session, "export", "roll_classes", kindergarten_id, by=by, now=now, year=school_year)
    return [(line.school_year, line.name, line.level, line.children) for line in lines]


def export_children(
    session: Session, kindergarten_id: uuid.UUID, school_year: int, *, by: Actor, now: dt.datetime
) -> list[tuple[str, str, str, str, dt.date | None, dt.date]]:
    """(class, level code, masked name, masked number, birth date, entered on) for each child there today."""
    lines = {line.id: line for line in roll.class_list(session, kindergarten_id, school_year, by=by, now=now)}
    day = roll.day_within(school_year, now)
    found = select(RollChild).where(
        RollChild.class_id.in_(lines),
        RollChild.entered_on <= day,
        or_(RollChild.left_on.is_(None), RollChild.left_on > day),
    )
    rows = sorted(session.scalars(found), key=lambda child: (lines[child.class_id].name, child.entered_on, child.id))
    audit.record(session, "export", "roll_children", kindergarten_id, by=by, now=now, year=school_year, rows=len(rows))
    return [
        (
            lines[child.class_id].name,
            lines[child.class_id].level,
            mask(child.name, 1, 0),
            mask(child.id_number, 4, 4),
            child.born,
            child.entered_on,
        )
        for child in rows
    ]
