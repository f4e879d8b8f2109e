"""Reminds the families that took a place of the arrival: two days before the arrival days, and two days before the child is due.

The second one goes to those whose child has not arrived, because the place of an absent child can be given away afterwards.
Each names the dates of this offer (`days.arrival_of`): a child that is placed late is due later than the arrival days.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.ground.city_time import format_time
from enrollment.offers.arrivals import days
from enrollment.offers.offer_rows import EXPECTED, Offer
from enrollment.season.calendar import SeasonDate

REMIND_BEFORE = dt.timedelta(days=2)

DUE = days.due_of(SeasonDate.ends_at.expression, Offer.answer_by.expression)
"""Until when the child of an offer is expected."""


def remind_due(session: Session, *, now: dt.datetime) -> int:
    """Each guardian gets one message for a place and the day that comes.  Returns how many places are concerned."""
    begins = _comes(SeasonDate.begins_at.expression, now)
    long_enough = SeasonDate.ends_at - SeasonDate.begins_at > 2 * REMIND_BEFORE
    ends = and_(_comes(DUE, now), or_(long_enough, SeasonDate.ends_at < DUE))
    return _remind(session, "arrival_reminder", begins, now=now) + _remind(
        session, "arrival_last_reminder", ends, now=now
    )


def _comes(moment: ColumnElement[dt.datetime], now: dt.datetime) -> ColumnElement[bool]:
    return and_(moment > now, moment <= now + REMIND_BEFORE)


def _remind(session: Session, kind: str, condition: ColumnElement[bool], *, now: dt.datetime) -> int:
    """Remind of the day that `condition` says.  Arrival days that are shorter than the two notices get the first one alone."""
    expected = select(Offer).join(SeasonDate, and_(SeasonDate.year == Offer.year, SeasonDate.step == "arrival"))
    told = _notifications(
        session, kind, session.scalars(expected.where(Offer.state.in_(EXPECTED), condition).order_by(Offer.id)).all()
    )
    notify_guardians_each(session, kind, told, now=now)
    return len(told)


def _notifications(session: Session, kind: str, offers: Sequence[Offer]) -> list[Notification]:
    found = []
    for each in offers:
        arrival = days.arrival_of(session, each)
        if arrival is None:
            continue
        ends = format_time(arrival.due_at)
        begins = format_time(arrival.begins_at) if arrival.begins_at is not None else None
        event = f"{kind}:{each.id}:{begins if kind == 'arrival_reminder' else ends}"
        params = {"ends_at": ends} if begins is None else {"begins_at": begins, "ends_at": ends}
        found.append(Notification(each.child_id, each.application_id, event, params))
    return found
