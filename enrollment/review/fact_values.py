"""Which values a fact can have.  A value that a policy cannot interpret is never stored."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from enrollment.ground.errors import Refused
from enrollment.people.household_rows import HUKOU_KINDS
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.season.facts import CARE_KINDS, Fact

PLACE_PARTS = {"street", "community", "estate", "road", "point"}
LONGEST_NAME = 80


def _is_date(value: Any) -> bool:
    try:
        dt.date.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_NAME


def _is_place(value: Any) -> bool:
    if not isinstance(value, dict) or not value or not set(value) <= PLACE_PARTS:
        return False
    return all(_is_point(part) if name == "point" else _is_name(part) for name, part in value.items())


def _is_point(value: Any) -> bool:
    numbers = isinstance(value, list) and len(value) == 2 and all(type(each) in (int, float) for each in value)
    return numbers and abs(value[0]) <= 180 and abs(value[1]) <= 90


def _one_of(*codes: str) -> Callable[[Any], bool]:
    return lambda value: value in codes


def _is_true(value: Any) -> bool:
    return value is True


def _is_small_number(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 20


SHAPE: dict[Fact, Callable[[Any], bool]] = {
    Fact.BORN: _is_date,
    Fact.HUKOU_AREA: _is_name,
    Fact.HUKOU_KIND: _one_of(*HUKOU_KINDS),
    Fact.HUKOU_STREET: _is_name,
    Fact.HOME_AREA: _is_name,
    Fact.HOME_PLACE: _is_place,
    Fact.HOME_OWNED: _is_true,
    Fact.WORK_AREA: _is_name,
    Fact.RESIDENCE_PERMIT_AREA: _is_name,
    Fact.SIBLING_AT: _is_name,
    Fact.SIBLING_RIGHT_AT: _is_name,
    Fact.POLICY_CARE: _one_of(*CARE_KINDS),
    Fact.STAFF_CHILD_AT: _is_name,
    Fact.SPECIAL_NEED: _is_true,
    Fact.CHILDREN_IN_FAMILY: _is_small_number,
}
AREAS = {Fact.HUKOU_AREA, Fact.HOME_AREA, Fact.WORK_AREA, Fact.RESIDENCE_PERMIT_AREA}
KINDERGARTENS = {Fact.SIBLING_AT, Fact.SIBLING_RIGHT_AT, Fact.STAFF_CHILD_AT}


def well_formed(fact: Fact, value: Any) -> bool:
    """Whether the value has the form of the fact.  `check` also tests that the area or kindergarten exists."""
    return SHAPE[fact](value)


def check(session: Session, fact: Fact, value: Any) -> None:
    """Refuse `fact_value_not_understood`, with the fact as the field, for a value that a policy cannot interpret."""
    known = well_formed(fact, value)
    if known and fact in AREAS:
        known = session.get(Area, value) is not None
    elif known and fact in KINDERGARTENS:
        known = bool(session.scalar(select(exists().where(Kindergarten.code == value))))
    if not known:
        raise Refused("fact_value_not_understood", field=fact.value, fact=fact.value)
