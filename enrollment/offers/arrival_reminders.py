"""Reminds the families that took a place of the arrival days, two days before they begin."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.ground.city_time import format_time
from enrollment.offers.offer_rows import EXPECTED, Offer
from enrollment.season.calendar import SeasonDate

REMIND_BEFORE = dt.timedelta(days=2)


def remind_due(session: Session, *, now: dt.datetime) -> int:
    """Each guardian gets one message for a place and a first arrival day.  Returns how many places are concerned."""
    coming = select(SeasonDate).where(
        SeasonDate.step == "arrival", SeasonDate.begins_at > now, SeasonDate.begins_at <= now + REMIND_BEFORE
    )
    found = 0
    for date in session.scalars(coming).all():
        begins, ends = format_time(date.begins_at), format_time(date.ends_at)
        expected = select(Offer).where(Offer.year == date.year, Offer.state.in_(EXPECTED)).order_by(Offer.id)
        told = [
            Notification(
                each.child_id,
                each.application_id,
                f"arrival_reminder:{each.id}:{begins}",
                {"begins_at": begins, "ends_at": ends},
            )
            for each in session.scalars(expected)
        ]
        notify_guardians_each(session, "arrival_reminder", told, now=now)
        found += len(told)
    return found
