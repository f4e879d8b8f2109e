"""The report of what is missing on the roll: a document number, a birth date, a guardian, an address, or the names of a class.

The roll itself keeps neither guardian nor address.  Of a child that came through the portal they are those of its
application; of who was on the roll before, the portal was never told them, and they are not missing here.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from enrollment.applications.application_rows import Application
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child, Guardian, Guardianship
from enrollment.places import roll
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.roll_rows import RollChild, RollClass
from enrollment.reports.tables.on_roll import OF_A_CLASS
from enrollment.reports.tables.report import PLACE, Column, Kind, Question, Report, Row, Width


class Gap(StrEnum):
    """What is missing.  Those of a child stand first, in the order of the columns of `_children`."""

    ID_NUMBER = "id_number"
    BORN = "born"
    GUARDIAN = "guardian"
    ADDRESS = "address"
    NAMES = "names"


OF_A_CHILD = (Gap.ID_NUMBER, Gap.BORN, Gap.GUARDIAN, Gap.ADDRESS)


def _gaps(question: Question) -> Iterator[Row]:
    """A row for each thing that is missing, with the day since when the child, or the class, stands so on the roll."""
    for place, level, name, child, *missing in question.session.execute(_children(question)):
        for gap, is_missing in zip(OF_A_CHILD, missing, strict=True):
            if is_missing:
                yield (place, level, name, child.name, gap, child.entered_on)
    for place, level, name, since in question.session.execute(_classes_without_names(question)):
        yield (place, level, name, None, Gap.NAMES, since)


def _of_classes(question: Question, *columns: Any) -> Select[Any]:
    return (
        select(PLACE, RollClass.level, RollClass.name, *columns)
        .join(Kindergarten, Kindergarten.id == RollClass.kindergarten_id)
        .where(RollClass.school_year == question.school_year, question.here())
    )


def _classes_without_names(question: Question) -> Select[Any]:
    """Open classes with children of whom only their number is known."""
    day = roll.day_within(question.school_year, question.now)
    is_open = or_(RollClass.closed_on.is_(None), RollClass.closed_on > day)
    found = _of_classes(question, RollClass.as_of).where(RollClass.kept_as == "count", RollClass.counted > 0, is_open)
    return found.order_by(Kindergarten.sort_key, RollClass.name)


def _children(question: Question) -> Select[Any]:
    """The children on roll with what is missing of each.  The household is that of the newest application."""
    newer = aliased(Application)
    newest = ~exists().where(newer.child_id == Application.child_id, newer.year > Application.year)
    number, born = RollChild.id_number.is_(None), RollChild.born.is_(None)
    guardian = and_(Child.id.is_not(None), ~_has_guardian())
    address = and_(Household.application_id.is_not(None), _has_no_address())
    return (
        _of_classes(question, RollChild, number, born, guardian, address)
        .join(RollChild, RollChild.class_id == RollClass.id)
        .outerjoin(Child, Child.id_index == RollChild.id_index)
        .outerjoin(Application, and_(Application.child_id == Child.id, newest))
        .outerjoin(Household, Household.application_id == Application.id)
        .where(RollChild.left_on.is_(None), or_(number, born, guardian, address))
        .order_by(Kindergarten.sort_key, RollClass.name, RollChild.entered_on, RollChild.id)
    )


def _has_guardian() -> ColumnElement[bool]:
    """A guardian who may act for the child and whose document is known."""
    return exists().where(
        Guardianship.child_id == Child.id,
        Guardianship.accepted_at.is_not(None),
        Guardian.id == Guardianship.guardian_id,
        Guardian.id_index.is_not(None),
    )


def _has_no_address() -> ColumnElement[bool]:
    """Neither a home outside the city nor an area with its street, of which the address code is made."""
    outside = func.coalesce(Household.home_outside, False)
    return and_(~outside, or_(Household.home_area.is_(None), Household.home_street.is_(None)))


GAPS = Report(
    "gaps",
    (
        *OF_A_CLASS, Column("child", names=True), Column("missing", Kind.CODE, "report_missing"),
        Column("since", Kind.DAY),
    ),
    _gaps,
    widest=Width.AREA,
)  # fmt: skip
