"""Messages about incomplete bonds, at each submission and a day before the deadline: which member is not handed in yet."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import any_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from enrollment.applications import deadlines, lifecycle, units
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.notifications import notify_guardians_together
from enrollment.ground.city_time import format_time
from enrollment.season.round_rows import KINDS_WITH_WISHES, Round, RoundStage

REMIND_BEFORE = dt.timedelta(days=1)


def tell_after_submission(session: Session, application: Application, *, now: dt.datetime) -> None:
    """After a member of a bond was handed in, tell all guardians which members are still missing, and until when."""
    round_ = deadlines.of(session, application, now=now).open
    if round_ is not None:
        event = f"bond_missing:{application.id}:{application.version}"
        _tell(session, units.of(session, application), round_, event, now)


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
