"""Reminds the families that took a place of the arrival days: two days before they begin, and two days before they end.

The second one goes to those whose child has not arrived, because the place of an absent child can be given away afterwards.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.ground.city_time import format_time
from enrollment.offers.offer_rows import EXPECTED, Offer
from enrollment.season.calendar import SeasonDate

REMIND_BEFORE = dt.timedelta(days=2)


def remind_due(session: Session, *, now: dt.datetime) -> int:
    """Each guardian gets one message for a place and the day that comes.  Returns how many places are concerned."""
    return _remind(session, "arrival_reminder", SeasonDate.begins_at, now=now) + _remind(
        session, "arrival_last_reminder", SeasonDate.ends_at, now=now
    )


def _remind(session: Session, kind: str, day: InstrumentedAttribute[dt.datetime], *, now: dt.datetime) -> int:
    """Remind of the arrival days whose `day` comes.  Days that are shorter than the two notices get the first one alone."""
    coming = select(SeasonDate).where(SeasonDate.step == "arrival", day > now, day <= now + REMIND_BEFORE)
    if kind == "arrival_last_reminder":
        coming = coming.where(SeasonDate.ends_at - SeasonDate.begins_at > 2 * REMIND_BEFORE)
    found = 0
    for date in session.scalars(coming).all():
        begins, ends = format_time(date.begins_at), format_time(date.ends_at)
        expected = select(Offer).where(Offer.year == date.year, Offer.state.in_(EXPECTED)).order_by(Offer.id)
        told = [
            Notification(
                each.child_id,
                each.application_id,
                f"{kind}:{each.id}:{begins if kind == 'arrival_reminder' else ends}",
                {"begins_at": begins, "ends_at": ends},
            )
            for each in session.scalars(expected)
        ]
        notify_guardians_each(session, kind, told, now=now)
        found += len(told)
    return found
