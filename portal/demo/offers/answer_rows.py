"""Bulk rows of families' answers to their offers, equal to those that the service functions write.

They are for children with one guardian and no bound sibling: nobody else has a say.  The others answer one by one.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.ground import jobs
from enrollment.ground.accounts import Role
from enrollment.ground.city_time import format_time
from enrollment.offers import offer_lifecycle
from enrollment.offers.arrivals import days
from enrollment.offers.joint_decision_rows import DecisionState, JointDecision
from enrollment.offers.offer_lifecycle import PersonalMove
from enrollment.offers.offer_rows import Offer
from enrollment.people.person_rows import Guardianship
from enrollment.season.calendar import SeasonDate


@dataclass(frozen=True)
class FamilyAnswer:
    """What the family of an account does with an offer: `confirm`, `confirm_and_wait` or `decline`."""

    offer_id: uuid.UUID
    application_id: uuid.UUID
    child_id: uuid.UUID
    account_id: uuid.UUID
    move: str


def answers_alone() -> ColumnElement[bool]:
    """SQL condition on an offer and its application: one person can answer, and for this child only."""
    guardians = select(func.count()).where(
        Guardianship.child_id == Application.child_id, Guardianship.accepted_at.is_not(None)
    )
    waits = select(JointDecision.id).where(
        JointDecision.application_id == Application.id, JointDecision.state == DecisionState.WAITING
    )
    return and_(Application.unit.is_(None), guardians.scalar_subquery() == 1, ~waits.exists())


def write(session: Session, answers: Sequence[FamilyAnswer], *, now: dt.datetime) -> None:
    """Write the answers: moves, messages, and the request of a replay for each place that is free again."""
    if not answers:
        return
    moves = [PersonalMove(each.offer_id, each.move, each.account_id, now) for each in answers]
    numbers = offer_lifecycle.make_many(session, moves, role=Role.GUARDIAN)
    told: dict[str, list[Notification]] = defaultdict(list)
    due = _due(session, [each.offer_id for each in answers if each.move != "decline"])
    for each in answers:
        number = numbers[each.offer_id]
        params = {"at": format_time(now), "who": "you", **due.get(each.offer_id, {})}
        told[each.move].append(Notification(each.child_id, each.application_id, f"{each.move}:{number}", params))
        if each.move == "decline":
            jobs.enqueue(session, "replay_rounds", key=f"replay_rounds:{each.offer_id}", now=now)
    for move, notifications in told.items():
        notify_guardians_each(session, f"answer_{move}", notifications, now=now)


def _due(session: Session, offer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, str]]:
    """What the message of a place that was taken says of its arrival, as `irrevocable_acts.answer` says it."""
    rows = session.execute(
        select(Offer.id, days.due_of(SeasonDate.ends_at.expression, Offer.answer_by.expression))
        .join(SeasonDate, and_(SeasonDate.year == Offer.year, SeasonDate.step == "arrival"))
        .where(Offer.id.in_(offer_ids))
    )
    return {offer_id: {"arrive_by": format_time(due_at)} for offer_id, due_at in rows}
