"""Bulk rows of arrivals at one kindergarten, equal to those that the service functions write.

They are for children whom no roll knows and about whom no tablet has noted anything.  The others arrive one by one.
"""

import datetime as dt
import json
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, select, text
from sqlalchemy.orm import Session

from enrollment.applications.notifications import messages_query
from enrollment.ground import audit
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.bulk_copy import copy_rows
from enrollment.ground.city_time import today
from enrollment.ground.identity import index_of
from enrollment.ground.outbox import QUIET
from enrollment.ground.vault import seal
from enrollment.offers import offer_lifecycle
from enrollment.offers.arrivals.rows import ArrivalTap, Check
from enrollment.offers.joint_decision_rows import DecisionState, JointDecision
from enrollment.offers.offer_lifecycle import PersonalMove
from enrollment.offers.offer_rows import Offer
from enrollment.people.person_rows import Child, ChildDocument
from enrollment.places import roll, roll_admission, roll_checks
from enrollment.places.programmes import Programme
from enrollment.places.roll_rows import RollChild, school_from

TAP = (
    "id", "kindergarten_id", "year", "offer_id", "act", "done", "matched", "tapped_at", "received_at", "account_id",
)  # fmt: skip
CHECKS = ("offer_id", "health_on", "vaccination_on", "pickup_on", "account_id", "at")
ON_ROLL = (
    "id", "class_id", "kept_as", "name", "id_number", "id_index", "born", "school_from", "entered_on",
)  # fmt: skip
ENTRY = ("offer_id", "roll_child_id", "ended", "at")


@dataclass(frozen=True)
class Arrival:
    """A child comes at a moment, into a class; its family may have no vaccination card with it."""

    offer_id: uuid.UUID
    application_id: uuid.UUID
    child_id: uuid.UUID
    programme: Programme
    class_name: str
    vaccination: bool
    at: dt.datetime

    @property
    def checks(self) -> Iterator[Check]:
        """The checks that are done, in the order of the page."""
        yield Check.HEALTH
        if self.vaccination:
            yield Check.VACCINATION
        yield Check.PICKUP


def comes_simply() -> ColumnElement[bool]:
    """SQL condition on an offer: no roll has its child, no tap is about it, and no joint decision waits."""
    waits = select(JointDecision.id).where(
        JointDecision.offer_id == Offer.id, JointDecision.state == DecisionState.WAITING
    )
    known = (
        select(RollChild.id)
        .join(ChildDocument, ChildDocument.person_index == RollChild.id_index)
        .where(ChildDocument.child_id == Offer.child_id)
    )
    tapped = select(ArrivalTap.id).where(ArrivalTap.offer_id == Offer.id)
    return and_(~waits.exists(), ~known.exists(), ~tapped.exists())


def write(session: Session, kindergarten_id: uuid.UUID, arrivals: Sequence[Arrival], *, by: Actor) -> None:
    """Write the checks, the moves with their messages, and the entries on the roll."""
    if not arrivals:
        return
    _write_checks(session, kindergarten_id, arrivals, by)
    if by.account_id is None:
        raise ValueError("somebody at the door says who arrived")
    moves = [PersonalMove(each.offer_id, "mark_arrived", by.account_id, each.at) for each in arrivals]
    _tell(session, arrivals, offer_lifecycle.make_many(session, moves, role=Role.HEAD), by)
    _enter(session, kindergarten_id, arrivals, by)


def _write_checks(session: Session, kindergarten_id: uuid.UUID, arrivals: Sequence[Arrival], by: Actor) -> None:
    taps = (
        (uuid.uuid4(), kindergarten_id, each.programme.year, each.offer_id, check, True, False, each.at, each.at,
         by.account_id)
        for each in arrivals for check in each.checks
    )  # fmt: skip
    copy_rows(session, "arrival_tap", TAP, taps)
    done = (
        (each.offer_id, today(each.at), today(each.at) if each.vaccination else None, today(each.at), by.account_id, each.at)
        for each in arrivals
    )  # fmt: skip
    copy_rows(session, "arrival_check", CHECKS, done)
    said = (
        (each.at, by.account_id, "arrival_check", "offer", str(each.offer_id), {"check": check, "done": True})
        for each in arrivals for check in each.checks
    )  # fmt: skip
    copy_rows(session, "audit_entry", audit.COPIED, said)


def _tell(session: Session, arrivals: Sequence[Arrival], numbers: dict[uuid.UUID, int], by: Actor) -> None:
    """The messages of the arrivals, each of its own moment; they wait as long as a mistake is undone unnoticed."""
    about = """
        SELECT child_id, application_id, event, CAST('{}' AS jsonb) AS params
        FROM jsonb_to_recordset(CAST(:told AS jsonb)) AS given (child_id uuid, application_id uuid, event text)
    """
    selected, who = messages_query("marked_arrived", about, by)
    written = text(f"""
        INSERT INTO notice (id, key, kind, account_id, child_id, application_id, params, created_at, next_try_at)
        SELECT gen_random_uuid(), key, kind, account_id, child_id, application_id, params, moment.at, moment.at + :quiet
        FROM ({selected}) AS told
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS moment(application_id, at) USING (application_id)
        ON CONFLICT (key) DO NOTHING
    """)  # noqa: S608 (our own query)
    told = [
        {"child_id": str(each.child_id), "application_id": str(each.application_id), "event": f"arrived:{numbers[each.offer_id]}"}
        for each in arrivals
    ]  # fmt: skip
    moments = {"ids": [each.application_id for each in arrivals], "times": [each.at for each in arrivals]}
    session.execute(written, {"told": json.dumps(told), "quiet": QUIET, **moments, **who})


def _enter(session: Session, kindergarten_id: uuid.UUID, arrivals: Sequence[Arrival], by: Actor) -> None:
    """The entries on the roll; a class is opened when its first child comes."""
    of_class: dict[tuple[uuid.UUID, str], list[Arrival]] = defaultdict(list)
    for each in sorted(arrivals, key=lambda arrival: arrival.at):
        of_class[each.programme.id, each.class_name].append(each)
    children = _children(session, [each.child_id for each in arrivals])
    rows: list[tuple[Any, ...]] = []
    entries: list[tuple[Any, ...]] = []
    said: list[tuple[Any, ...]] = []
    for (_programme, name), here in of_class.items():
        programme = here[0].programme
        roll_class = roll.ensure_class(
            session, kindergarten_id, name, programme.level, programme.year, "rows", by=by, now=here[0].at
        )
        roll_class.as_of = max(roll_class.as_of, today(here[-1].at))
        session.flush()
        for each in here:
            child, id_ = children[each.child_id], uuid.uuid4()
            born = roll_checks.birth_date_of(child.born, child.id_number)
            roll_checks.check_age(born, programme.level, programme.year)
            begins = roll_admission.first_day(programme.year, now=each.at)
            rows.append(
                (id_, roll_class.id, "rows", seal(roll_checks.check_person_name(child.name), "roll_child.name", id_),
                 seal(child.id_number, "roll_child.id_number", id_), index_of(child.id_number, child.id_kind),
                 born and seal(born.isoformat(), "roll_child.born", id_), school_from(born), begins)
            )  # fmt: skip
            entries.append((each.offer_id, id_, [], each.at))
            said.append((each.at, by.account_id, "enter_roll", "roll_child", str(id_), {}))
    copy_rows(session, "roll_child", ON_ROLL, rows)
    copy_rows(session, "arrival_entry", ENTRY, entries)
    copy_rows(session, "audit_entry", audit.COPIED, said)


def _children(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Child]:
    return {child.id: child for child in session.scalars(select(Child).where(Child.id.in_(ids)))}
