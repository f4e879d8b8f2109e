"""Messages about incomplete bonds, at each submission and a day before the deadline: which member is not handed in yet.

The inbox shows such a message at once, and the phone gets it after `WAIT`.  One that is no longer true is taken back where it was
not sent; where it was sent, the inbox says that it is over.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import any_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.elements import ColumnElement

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

    The text message waits a little, unless registration is about to end, and gives way to that of the next member.
    """
    round_ = deadlines.of(session, application, now=now).open
    if round_ is None or application.unit is None:
        return
    members = units.of(session, application)
    take_back(session, members, now=now)
    _tell(session, members, round_, f"bond_missing:{application.id}:{application.version}", now)
    if now + REMIND_BEFORE < round_.closes_at:
        session.execute(
            update(Notice).where(*_unsent(members), Notice.created_at == now).values(next_try_at=now + WAIT)
        )


def take_back(session: Session, members: Collection[Application], *, now: dt.datetime) -> None:
    """Withhold the messages about this bond that were not sent, read or not: what they say has changed."""
    session.flush()
    session.execute(update(Notice).where(*_unsent(members)).values(withheld_at=now, state=MessageState.WITHHELD))


def _unsent(members: Collection[Application]) -> tuple[ColumnElement[bool], ...]:
    ids = [member.id for member in members]
    return Notice.application_id.in_(ids), Notice.kind.in_(KINDS), Notice.state == MessageState.WAITING


def outdated(session: Session, notices: Collection[Notice]) -> set[uuid.UUID]:
    """The messages among these that say of a bond what is no longer so: a child was handed in meanwhile, or left it."""
    about = {
        each.id: (each, [uuid.UUID(named) for named in each.params["together"]])
        for each in notices
        if each.kind in KINDS
    }
    if not about:
        return set()
    other = aliased(Application)
    incomplete = (
        select(other.id).where(other.unit == Application.unit, other.stage.not_in(lifecycle.HANDED_IN)).exists()
    )
    named = {each for _notice, children in about.values() for each in children}
    rows = session.execute(select(Application.id, Application.stage, incomplete).where(Application.id.in_(named)))
    waits = {key: stage in lifecycle.HANDED_IN for key, stage, still in rows if still}
    return {
        key
        for key, (notice, children) in about.items()
        if any(waits.get(child) is not (notice.kind == "bond_waiting") for child in children)
    }


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
