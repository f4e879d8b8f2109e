"""Messages about incomplete bonds, at each submission and a day before the deadline: which member is not handed in yet."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import any_, delete, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from enrollment.applications import deadlines, lifecycle, units
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.notifications import notify_guardians_together
from enrollment.ground.city_time import format_time
from enrollment.ground.outbox import MessageState, Notice
from enrollment.season.round_rows import KINDS_WITH_WISHES, Round, RoundStage

REMIND_BEFORE = dt.timedelta(days=1)

WAIT = dt.timedelta(minutes=10)
"""How long the message at a submission waits for the next child: a family hands its children in one after another."""

KINDS = ("bond_missing", "bond_waiting")


def tell_after_submission(session: Session, application: Application, *, now: dt.datetime) -> None:
    """After a member of a bond was handed in, tell all guardians which members are still missing, and until when.

    The message waits a little, unless registration is about to end, and gives way to that of the next member.
    """
    round_ = deadlines.of(session, application, now=now).open
    if round_ is None or application.unit is None:
        return
    members = units.of(session, application)
    waiting = (
        Notice.application_id.in_([member.id for member in members]),
        Notice.kind.in_(KINDS),
        Notice.state == MessageState.WAITING,
    )
    session.execute(delete(Notice).where(*waiting, Notice.next_try_at > now, Notice.read_at.is_(None)))
    _tell(session, members, round_, f"bond_missing:{application.id}:{application.version}", now)
    if now + REMIND_BEFORE < round_.closes_at:
        session.execute(update(Notice).where(*waiting, Notice.created_at == now).values(next_try_at=now + WAIT))


def remind_due(session: Session, *, now: dt.datetime) -> int:
    """Remind the families of bonds of which some were handed in and some not, a day before registration ends.

    Each guardian is reminded once for a closing time.  Returns how many bonds are incomplete.
    """
    member, other = aliased(Application), aliased(Application)
    found = (
        select(member, Round)
        .ext(distinct_on(member.unit))
        .join(other, (other.unit == member.unit) & (other.stage == Stage.DRAFT))
        .join(Round, (Round.year == member.year) & (member.level == any_(Round.levels)))
        .where(
            member.stage.in_(lifecycle.HANDED_IN),
            Round.kind.in_(KINDS_WITH_WISHES),
            Round.stage == RoundStage.OPEN,
            Round.opens_at <= now,
            Round.closes_at > now,
            Round.closes_at <= now + REMIND_BEFORE,
        )
        .order_by(member.unit, Round.number)
    )
    incomplete = session.execute(found).all()
    for application, round_ in incomplete:
        event = f"bond_reminder:{application.unit}:{format_time(round_.closes_at)}"
        _tell(session, units.of(session, application), round_, event, now)
    return len(incomplete)


def _tell(session: Session, members: Sequence[Application], round_: Round, event: str, now: dt.datetime) -> None:
    """Send each guardian a message about their missing child or, if they have none, about their child that waits for it."""
    missing = [member.id for member in members if member.stage not in lifecycle.HANDED_IN]
    if not missing:
        return
    waiting = [member.id for member in members if member.id not in missing]
    due = format_time(round_.closes_at)
    notify_guardians_together(session, "bond_missing", missing, now=now, event=event, due=due)
    notify_guardians_together(session, "bond_waiting", waiting, now=now, event=event, due=due)
