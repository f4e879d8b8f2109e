"""Until when a family may change its application.  Each service function checks it in the transaction that saves."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import any_, literal, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Stage
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.ground.city_time import CHENGDU
from enrollment.ground.errors import Refused
from enrollment.season.round_rows import KINDS_WITH_WISHES, RoundStage
from enrollment.season.rounds import Round


@dataclass(frozen=True)
class Window:
    """The rounds of a year for a class level at a moment.

    `open` takes registrations now, `coming` will take them, `last` is the most recently opened round (perhaps `open`).
    """

    open: Round | None
    coming: Round | None
    last: Round | None

    @property
    def returned_may_be_answered(self) -> bool:
        """Review goes on from the end of registration until the round is frozen."""
        return self.last is not None and self.last.stage in (RoundStage.OPEN, RoundStage.CLOSED)


def window(session: Session, year: int, level: str, *, now: dt.datetime) -> Window:
    """The state of registration.  A round counts as open by its stage and its dates together."""
    rounds = session.scalars(
        select(Round)
        .where(
            Round.year == year,
            literal(level) == any_(Round.levels),
            Round.kind.in_(KINDS_WITH_WISHES),
        )
        .order_by(Round.number)
    ).all()
    opened = [each for each in rounds if each.stage != RoundStage.PLANNED]
    return Window(
        open=next(
            (each for each in rounds if each.stage == RoundStage.OPEN and each.opens_at <= now < each.closes_at), None
        ),
        coming=next((each for each in rounds if each.stage == RoundStage.PLANNED and now < each.closes_at), None),
        last=opened[-1] if opened else None,
    )


def of(session: Session, application: Application, *, now: dt.datetime) -> Window:
    return window(session, application.year, application.level, now=now)


def season_takes_changes(session: Session, year: int, *, now: dt.datetime) -> bool:
    """Whether applications of the year can still be entered or changed: a round is coming, open, or not yet frozen."""
    rounds = session.scalars(select(Round).where(Round.year == year, Round.kind.in_(KINDS_WITH_WISHES)))
    return any(
        each.stage in (RoundStage.OPEN, RoundStage.CLOSED)
        or (each.stage == RoundStage.PLANNED and now < each.closes_at)
        for each in rounds
    )


def before_the_freeze(session: Session, times: Window) -> bool:
    """Whether the newest round is not frozen, and stays so until the end of this transaction.

    Only call it when registration is over: while it is open, all families would wait for the lock of one row.
    """
    if times.last is None:
        return True
    stage = select(Round.stage).where(Round.id == times.last.id).with_for_update(read=True)
    return session.scalar(stage) in (RoundStage.OPEN, RoundStage.CLOSED)


def looks_editable(application: Application, times: Window) -> bool:
    """Whether a page offers changes: `require_editable` without its lock."""
    if application.on_hold or application.stage not in LIVE_STAGES:
        return False
    if times.open is not None:
        return True
    if application.stage == Stage.DRAFT:
        return times.coming is not None
    return application.stage == Stage.RETURNED and times.returned_may_be_answered


def require_editable(session: Session, application: Application, *, now: dt.datetime) -> Window:
    """Refuse unless the family may change this application now.  The caller holds its lock."""
    times = of(session, application, now=now)
    if application.on_hold:
        raise Refused("on_hold")
    if application.stage not in LIVE_STAGES:
        raise Refused("application_is_over")
    if times.open is not None:
        return times
    if application.stage == Stage.DRAFT and times.coming is not None:
        return times
    if application.stage == Stage.RETURNED and times.returned_may_be_answered and before_the_freeze(session, times):
        return times
    raise closed(times)


def closed(times: Window) -> Refused:
    """The refusal to return when nothing can be handed in now: registration has not begun, or has ended."""
    if times.last is None and times.coming is not None:
        return Refused("registration_not_open_yet", opens=times.coming.opens_at.astimezone(CHENGDU))
    if times.last is None:
        return Refused("no_registration")
    return Refused("registration_closed", closed=times.last.closes_at.astimezone(CHENGDU))
