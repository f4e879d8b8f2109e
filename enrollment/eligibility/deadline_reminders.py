"""Messages before a deadline: an application that is not handed in, that still lacks papers, or that was returned."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications import deadlines, lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.applications.returned_items import ReturnedItem
from enrollment.eligibility import required_documents, return_times
from enrollment.ground.city_time import format_time
from enrollment.season.calendar import SeasonDate
from enrollment.season.round_rows import KINDS_WITH_WISHES, Round, RoundStage

REMIND_BEFORE = dt.timedelta(days=2)
"""Two evenings: a paper that lies at the grandparents' can still be photographed."""


def rounds_closing_soon(session: Session, *, now: dt.datetime) -> list[Round]:
    """The rounds that are open now and end within `REMIND_BEFORE`."""
    closing = select(Round).where(
        Round.kind.in_(KINDS_WITH_WISHES),
        Round.stage == RoundStage.OPEN,
        Round.opens_at <= now,
        Round.closes_at > now,
        Round.closes_at <= now + REMIND_BEFORE,
    )
    return list(session.scalars(closing.order_by(Round.year, Round.number)))


def remind(
    session: Session, round_: Round, *, now: dt.datetime, after: uuid.UUID | None = None, limit: int = 500
) -> uuid.UUID | None:
    """Notify the guardians of the next applications by id: those after `after`, at most `limit`.

    Returns the last application's id, None when all were looked at.  Each guardian gets one message for an application and
    a closing time, however often this runs.  An application on hold cannot be changed, so it gets none.
    """
    concerned = select(Application).where(
        Application.year == round_.year,
        Application.level.in_(round_.levels),
        Application.stage.in_((Stage.DRAFT, *lifecycle.HANDED_IN)),
        Application.on_hold.is_(False),
    )
    if after is not None:
        concerned = concerned.where(Application.id > after)
    found = session.scalars(concerned.order_by(Application.id).limit(limit)).all()
    due = format_time(round_.closes_at)
    drafts = [each for each in found if each.stage == Stage.DRAFT]
    _tell(session, "not_handed_in", [(each, {"due": due}) for each in drafts], round_, now)
    lacking = ((each, len(required_documents.missing(session, each))) for each in found if each not in drafts)
    _tell(session, "papers_missing", [(each, {"due": due, "n": n}) for each, n in lacking if n], round_, now)
    return found[-1].id if len(found) == limit else None


def remind_returned(session: Session, *, now: dt.datetime) -> int:
    """Notify the guardians of returned applications that nobody has completed, within `REMIND_BEFORE` of the last moment.

    That is the one that the clerk chose, else the end of the review.  Of a chosen time half is over first, so that the
    reminder does not follow the message at once.  Each guardian gets one message for an application and a moment.  Returns
    how many applications there are.
    """
    asked = (
        select(
            ReturnedItem.application_id,
            func.max(ReturnedItem.asked_at).label("at"),
            func.max(ReturnedItem.answer_by).label("answer_by"),
        )
        .where(ReturnedItem.answered_at.is_(None))
        .group_by(ReturnedItem.application_id)
        .subquery()
    )
    ends_at = func.coalesce(asked.c.answer_by, SeasonDate.ends_at)
    half_over = asked.c.answer_by.is_(None) | (asked.c.answer_by - now <= now - asked.c.at)
    returned = (
        select(Application, ends_at)
        .outerjoin(asked, asked.c.application_id == Application.id)
        .outerjoin(SeasonDate, (SeasonDate.year == Application.year) & (SeasonDate.step == "review"))
        .where(Application.stage == Stage.RETURNED, Application.on_hold.is_(False))
        .where(ends_at > now, ends_at <= now + REMIND_BEFORE, half_over)
        .order_by(Application.id)
    )
    told = []
    for application, at in session.execute(returned):
        due = format_time(at)
        event = f"returned_reminder:{application.version}:{due}"
        told.append(Notification(application.child_id, application.id, event, {"due": due}))
    notify_guardians_each(session, "returned_reminder", told, now=now)
    return len(told)


def tell_returns_over(session: Session, *, now: dt.datetime) -> int:
    """Notify the guardians of returned applications whose last moment passed within `REMIND_BEFORE` without an answer: what
    counts now, and that they can answer until the list is frozen.

    Each guardian gets one message for an application and such a moment.  Returns how many applications there are.
    """
    going_on = select(SeasonDate.year).where(SeasonDate.step == "arrival", SeasonDate.ends_at > now)
    returned = select(Application).where(
        Application.stage == Stage.RETURNED,
        Application.on_hold.is_(False),
        Application.returned_at <= now,
        Application.year.in_(going_on),
    )
    told = []
    for application in session.scalars(returned.order_by(Application.id)):
        if application.returned_at is None:
            continue
        last = return_times.answer_until(session, application, returned_at=application.returned_at)
        if not now - REMIND_BEFORE < last <= now:
            continue
        if deadlines.of(session, application, now=now).returned_may_be_answered:
            due = format_time(last)
            event = f"returned_over:{application.version}:{due}"
            told.append(Notification(application.child_id, application.id, event, {"due": due}))
    notify_guardians_each(session, "returned_over", told, now=now)
    return len(told)


def _tell(
    session: Session, kind: str, about: Sequence[tuple[Application, dict]], round_: Round, now: dt.datetime
) -> None:
    event = f"{kind}:{round_.id}:{format_time(round_.closes_at)}"
    told = [Notification(each.child_id, each.id, event, params) for each, params in about]
    notify_guardians_each(session, kind, told, now=now)
