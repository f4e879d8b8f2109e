"""Messages before the last moment to answer a return, and when it has passed."""

import datetime as dt
import functools
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.eligibility import return_times
from enrollment.eligibility.return_times import OpenReturn
from enrollment.ground.city_time import format_time
from enrollment.season import openings
from enrollment.season.calendar import SeasonDate

REMIND_BEFORE = dt.timedelta(days=2)
"""Two evenings: a paper that lies at the grandparents' can still be photographed."""


def remind_returned(session: Session, *, now: dt.datetime) -> int:
    """Notify the guardians of returned applications that nobody has completed, within `REMIND_BEFORE` of the last moment.

    Half of the time is over first, so that the reminder does not follow the message at once.  Each guardian gets one
    message for an application and a moment.  Returns how many applications there are.
    """
    due = [
        each
        for each in return_times.open_returns(session, now=now)
        if now < each.until <= now + REMIND_BEFORE and each.until - now <= now - each.returned_at
    ]
    _tell_of_returns(session, "returned_reminder", due, now)
    return len(due)


def tell_returns_over(session: Session, *, now: dt.datetime) -> int:
    """Notify the guardians of returned applications whose last moment passed within `REMIND_BEFORE` without an answer: what
    counts now, and that they can answer until the list is frozen.

    Each guardian gets one message for an application and such a moment.  Returns how many applications there are.
    """
    going_on = set(
        session.scalars(select(SeasonDate.year).where(SeasonDate.step == "arrival", SeasonDate.ends_at > now))
    )
    window = functools.cache(lambda year, level: openings.window(session, year, level, now=now))
    over = [
        each
        for each in return_times.open_returns(session, now=now)
        if each.year in going_on
        and now - REMIND_BEFORE < each.until <= now
        and window(each.year, each.level).returned_may_be_answered
    ]
    _tell_of_returns(session, "returned_over", over, now)
    return len(over)


def _tell_of_returns(session: Session, kind: str, returns: Sequence[OpenReturn], now: dt.datetime) -> None:
    told = []
    for each in returns:
        due = format_time(each.until)
        event = f"{kind}:{each.version}:{due}"
        told.append(Notification(each.child_id, each.application_id, event, {"due": due}))
    notify_guardians_each(session, kind, told, now=now)
