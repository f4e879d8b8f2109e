"""Messages that did not arrive, for officials: how many of each state, and whom those that failed concern."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.delivery import sender_status
from enrollment.delivery.lanes import TEXT_LANES, Lane
from enrollment.delivery.sender_status import SenderStatus
from enrollment.eligibility.households import Household
from enrollment.ground.accounts import Account, Actor, Role
from enrollment.ground.outbox import MessageState, Notice
from enrollment.places.kindergartens import Page, paginate_rows

COUNTED_FOR = dt.timedelta(days=7)
LISTED_FOR = dt.timedelta(days=30)
PER_PAGE = 100
FAILED = (MessageState.UNDELIVERABLE, MessageState.GIVEN_UP)


@dataclass(frozen=True)
class FailedMessage:
    """`error` is a `DeliveryError`; `phone` the number at this time, for its mask."""

    registration_code: str | None
    area_code: str | None
    kind: str
    error: str | None
    phone: str | None
    tries: int
    written_at: dt.datetime
    was_read: bool


def counts(session: Session, *, now: dt.datetime) -> Counter[str]:
    """Messages to accounts of the last days, by state."""
    found = select(Notice.state, func.count()).where(Notice.created_at > now - COUNTED_FOR).group_by(Notice.state)
    return Counter({row[0]: row[1] for row in session.execute(found)})


def lanes(session: Session) -> list[tuple[Lane, SenderStatus | None]]:
    """What the sender of each lane last said."""
    return [(lane, sender_status.of_lane(session, lane)) for lane in TEXT_LANES]


def failed(session: Session, year: int, *, by: Actor, now: dt.datetime, page: int = 1) -> Page:
    """The messages about a child that failed, the newest first.  Area officials see those of their areas."""
    query = (
        select(
            Application.registration_code, Household.home_area, Notice.kind, Notice.last_error, Account.phone,
            Notice.tries, Notice.created_at, Notice.read_at.is_not(None),
        )
        .join(Application, Application.id == Notice.application_id)
        .join(Account, Account.id == Notice.account_id)
        .outerjoin(Household, Household.application_id == Application.id)
        .where(Application.year == year, Notice.state.in_(FAILED), Notice.withheld_at.is_(None), Notice.created_at > now - LISTED_FOR)
        .order_by(Notice.created_at.desc(), Notice.id)
    )  # fmt: skip
    if not by.is_any(Role.CITY_OFFICIAL, Role.AUDITOR):
        query = query.where(Household.home_area.in_(by.areas))
    listed = paginate_rows(session, query, page, PER_PAGE)
    return replace(listed, items=[FailedMessage(*row) for row in listed])
