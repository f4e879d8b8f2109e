"""Messages before a deadline: an application that is not handed in, that still lacks papers, or that was returned."""

import datetime as dt
import functools
import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.eligibility import required_documents, return_times
from enrollment.eligibility.return_times import OpenReturn
from enrollment.ground.city_time import format_time
from enrollment.season import openings
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

    Returns the last application's id, None when all were looked at.  The number of statements does not grow
    with the families.  Each guardian gets one message for an application and a closing time, however often this runs.  An
    application on hold cannot be changed, so it gets none.
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
    handed_in = [each for each in found if each.stage != Stage.DRAFT]
    lacking = required_documents.missing_in_year(session, handed_in, round_.year) if handed_in else []
    about = [(each, {"due": due, "n": len(papers)}) for each, papers in lacking if papers]
    _tell(session, "papers_missing", about, round_, now)
    return found[-1].id if len(found) == limit else None


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


def _tell(
    session: Session, kind: str, about: Sequence[tuple[Application, dict]], round_: Round, now: dt.datetime
) -> None:
    event = f"{kind}:{round_.id}:{format_time(round_.closes_at)}"
    told = [Notification(each.child_id, each.id, event, params) for each, params in about]
    notify_guardians_each(session, kind, told, now=now)
