"""Staff counts: entering one, the newest of each kindergarten, and the history."""

import datetime as dt
import uuid

from sqlalchemy import Subquery, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.errors import Refused
from enrollment.places import scope
from enrollment.places.kindergartens import Page, paginate
from enrollment.places.staffing.rows import MOST_STAFF, StaffCount

PER_PAGE = 20


def enter(
    session: Session,
    kindergarten_id: uuid.UUID,
    day: dt.date,
    teachers: int,
    carers: int,
    *,
    by: Actor,
    now: dt.datetime,
) -> StaffCount:
    """Enter the staff of a day.  Refuses `staff_day` for a day to come and `staff_number`; NotFound outside the scope."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by, lock=True)
    if day > today(now):
        raise Refused("staff_day", "day")
    for field, number in (("teachers", teachers), ("carers", carers)):
        if not 0 <= number <= MOST_STAFF:
            raise Refused("staff_number", field, most=MOST_STAFF)
    made = StaffCount(
        kindergarten_id=kindergarten_id, day=day, teachers=teachers, carers=carers, entered_by=by.account_id, entered_at=now
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(
        session, "count_staff", "kindergarten", kindergarten_id, by=by, now=now,
        day=day.isoformat(), teachers=teachers, carers=carers,
    )  # fmt: skip
    return made


def history(session: Session, kindergarten_id: uuid.UUID, *, by: Actor, page: int = 1) -> Page:
    """The counts of a kindergarten, the newest day first.  NotFound outside the scope."""
    scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    found = select(StaffCount).where(StaffCount.kindergarten_id == kindergarten_id)
    return paginate(session, found.order_by(StaffCount.day.desc(), StaffCount.id.desc()), page, PER_PAGE)


def newest_query(on: dt.date) -> Subquery:
    """The count of each kindergarten that holds on a day."""
    return (
        select(StaffCount.kindergarten_id, StaffCount.day, StaffCount.teachers, StaffCount.carers)
        .where(StaffCount.day <= on)
        .ext(distinct_on(StaffCount.kindergarten_id))
        .order_by(StaffCount.kindergarten_id, StaffCount.day.desc(), StaffCount.id.desc())
        .subquery("newest_staff")
    )
