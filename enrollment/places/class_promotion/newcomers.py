"""Children of the new year's classes who came from elsewhere.  They do not show that last year's children moved up.

The promotion asks it of one kindergarten, `coverage.newest_rolls` of all of them at once.
"""

import uuid

from sqlalchemy import ColumnElement, and_, column, func, or_, select, table
from sqlalchemy.orm import aliased

from enrollment.places.roll_change_rows import RollTransfer, TransferState
from enrollment.places.roll_rows import BY_A_MOVE, RollChild, RollClass

ARRIVAL_ENTRY = table("arrival_entry", column("roll_child_id"))
"""The entries that arrivals made.  Their model is in a package above this one (`offers.arrivals.rows`)."""


def not_a_newcomer(
    child: type[RollChild], kindergarten_id: uuid.UUID | ColumnElement[uuid.UUID], year: int | ColumnElement[int]
) -> ColumnElement[bool]:
    """The SQL condition that a child came into the roll of `year` neither by an arrival nor by a transfer."""
    return and_(~_arrived(child, kindergarten_id, year), ~_transferred(child, kindergarten_id, year))


def _arrived(
    child: type[RollChild], kindergarten_id: uuid.UUID | ColumnElement[uuid.UUID], year: int | ColumnElement[int]
) -> ColumnElement[bool]:
    """In this class or in another one of the year."""
    first, of_first = aliased(RollChild, name="first_entry"), aliased(RollClass, name="first_class")
    found = (
        select(first.id)
        .join(ARRIVAL_ENTRY, ARRIVAL_ENTRY.c.roll_child_id == first.id)
        .join(of_first, of_first.id == first.class_id)
        .where(
            or_(first.id == child.id, first.id_index == child.id_index),
            # not an arrival that was undone
            or_(first.left_on.is_distinct_from(first.entered_on), first.leave_reason.in_(BY_A_MOVE)),
            of_first.kindergarten_id == kindergarten_id,
            of_first.school_year == year,
        )
    )
    return found.correlate_except(first, of_first, ARRIVAL_ENTRY).exists()


def _transferred(
    child: type[RollChild], kindergarten_id: uuid.UUID | ColumnElement[uuid.UUID], year: int | ColumnElement[int]
) -> ColumnElement[bool]:
    """A child without a number is found by the class and the day of its transfer."""
    elsewhere = aliased(RollChild, name="entry_elsewhere")
    into_this_entry = and_(
        child.id_index.is_(None),
        elsewhere.id_index.is_(None),
        RollTransfer.to_class_id == child.class_id,
        elsewhere.left_on == child.entered_on,
    )
    found = (
        select(RollTransfer.id)
        .join(elsewhere, elsewhere.id == RollTransfer.roll_child_id)
        .where(
            RollTransfer.to_id == kindergarten_id,
            RollTransfer.state == TransferState.DONE,
            elsewhere.left_on >= func.make_date(year, 9, 1),
            or_(elsewhere.id_index == child.id_index, into_this_entry),
        )
    )
    return found.correlate_except(elsewhere, RollTransfer).exists()
