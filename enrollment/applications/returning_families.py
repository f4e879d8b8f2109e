"""A family that was here before: its children who may apply in the season that goes on now, without being typed again."""

import datetime as dt
import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import applications, deadlines
from enrollment.applications.applications import Application
from enrollment.ground.accounts import Actor, require_oneself
from enrollment.people import consents
from enrollment.people.children import own_child
from enrollment.people.person_rows import Child
from enrollment.season import ages


def may_begin(session: Session, year: int, *, by: Actor, now: dt.datetime) -> list[Child]:
    """Children who applied in an earlier year, not yet in this one, and whose class level has or will have registration."""
    before = {each.child_id: each for each in applications.list_own(session, by=by) if each.year < year}
    here = select(Application.child_id).where(Application.year == year, Application.child_id.in_(before))
    begun = set(session.scalars(here))
    waiting = [each.child for child_id, each in before.items() if child_id not in begun and not each.child.is_joined]
    return sorted(
        (child for child in waiting if _has_registration(session, child, year, now)), key=lambda one: one.born
    )


def _has_registration(session: Session, child: Child, year: int, now: dt.datetime) -> bool:
    level = ages.level_for(child.born, year)
    times = deadlines.window(session, year, level, now=now) if level else None
    return times is not None and (times.open or times.coming) is not None


def begin(session: Session, child_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime) -> Application:
    """The child's draft of the year.  Twice is the same draft.  Refuses `consent_needed` and what `start` refuses."""
    require_oneself(by)
    own_child(session, child_id, by=by)
    consents.require(session, consents.CHILD_DATA, by=by)
    return applications.start(session, child_id, year, by=by, now=now)
