"""Who is chosen: applications of the review queue, or children with a place; and whom a text message reaches."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.delivery.unreachable_numbers import UnreachableNumber
from enrollment.ground.accounts import Account, Actor
from enrollment.offers.arrivals.children import STATES_OF_GROUP
from enrollment.offers.arrivals.children import Group as ArrivalGroup
from enrollment.offers.arrivals.current_entries import TO_FOLLOW, follow, join_current
from enrollment.offers.offer_rows import Offer, OfferState
from enrollment.people.person_rows import Guardian, Guardianship
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollClass
from enrollment.review.queue import task_groups
from enrollment.review.queue.due_dates import review_times
from enrollment.review.queue.filters import Filter, Group, filter_of

PLACES = (ArrivalGroup.OFFERED, ArrivalGroup.EXPECTED, ArrivalGroup.ARRIVED)
"""The lists of children with a place that can be chosen."""


@dataclass(frozen=True)
class Choice:
    """`audience` is `queue`, `queue-<group>`, `place-<list>` or `class-<name>`; `limited` limits a queue."""

    audience: str
    year: int
    limited: Filter

    def codes(self) -> dict[str, str]:
        """What is kept with the message."""
        ground, level = self.limited.ground, self.limited.level
        found = {"audience": self.audience, "year": str(self.year), "ground": ground.value if ground else ""}
        return {name: code for name, code in (found | {"level": level or ""}).items() if code}


def choice_of(codes: dict[str, str]) -> Choice:
    """The choice that `Choice.codes` describes, or that a form sent."""
    limited, _group = filter_of({"ground": codes.get("ground", ""), "level": codes.get("level", "")})
    return Choice(codes.get("audience", ""), int(codes.get("year", 0)), limited)


@dataclass(frozen=True)
class Reach:
    """`people`: the guardians who get the message, each once.  `out_of_reach`: the registration codes and ids of the
    children of whom no guardian has a number that receives; they find the message when they sign in."""

    children: int
    people: int
    out_of_reach: list[tuple[uuid.UUID, str]]


def audiences(
    session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor, now: dt.datetime
) -> dict[str, int]:
    """Every audience of a kindergarten that has somebody in it, with the number of its children, in the order of a page."""
    task = task_groups.group_of(review_times(session, now=now))
    rows = session.execute(
        select(task, func.count())
        .where(
            *task_groups.in_queue(session, by=by, now=now),
            Application.review_kindergarten_id == kindergarten_id,
            Application.year == year,
        )
        .group_by(task)
    )
    queued = {Group(code): number for code, number in rows}
    found = {"queue": sum(queued.values())}
    found |= {f"queue-{group}": queued[group] for group in Group if group in queued}
    states = _with_a_place(kindergarten_id, year).with_only_columns(Offer.state, func.count()).group_by(Offer.state)
    placed = {state: number for state, number in session.execute(states)}
    found |= {f"place-{each}": sum(placed.get(state, 0) for state in STATES_OF_GROUP[each]) for each in PLACES}
    classes = Counter(name for _application, name in _in_classes(session, kindergarten_id, year))
    found |= {f"class-{name}": number for name, number in classes.items()}
    return {audience: number for audience, number in found.items() if number}


def applications(
    session: Session, kindergarten_id: uuid.UUID, choice: Choice, *, by: Actor, now: dt.datetime
) -> list[uuid.UUID]:
    """The applications of a choice, by id.  An unknown audience has none."""
    kind, _dash, which = choice.audience.partition("-")
    if kind == "queue" and which in ("", *Group):
        found = select(Application.id).where(
            *task_groups.in_queue(session, by=by, now=now),
            Application.review_kindergarten_id == kindergarten_id,
            Application.year == choice.year,
            *choice.limited.conditions(by),
        )
        if which:
            found = found.where(task_groups.group_of(review_times(session, now=now)) == which)
    elif kind == "place" and which in PLACES:
        found = _with_a_place(kindergarten_id, choice.year).where(Offer.state.in_(STATES_OF_GROUP[ArrivalGroup(which)]))
    elif kind == "class":
        return sorted({each for each, name in _in_classes(session, kindergarten_id, choice.year) if name == which})
    else:
        return []
    return sorted(set(session.scalars(found)))


def reach(session: Session, application_ids: Collection[uuid.UUID]) -> Reach:
    """Whom a message about these applications reaches."""
    rows = session.execute(
        select(Application.id, Application.registration_code, Account.id, Account.phone_index)
        .outerjoin(
            Guardianship,
            (Guardianship.child_id == Application.child_id) & Guardianship.accepted_at.is_not(None),
        )
        .outerjoin(Guardian, Guardian.id == Guardianship.guardian_id)
        .outerjoin(Account, Account.id == Guardian.account_id)
        .where(Application.id.in_(application_ids))
        .order_by(Application.registration_code, Application.id)
    ).all()
    indexes = {row.phone_index for row in rows if row.phone_index is not None}
    known = select(UnreachableNumber.phone_index).where(UnreachableNumber.phone_index.in_(indexes))
    silent = set(session.scalars(known))
    receives: dict[uuid.UUID, bool] = {}
    for row in rows:
        gets = row.phone_index is not None and row.phone_index not in silent
        receives[row.id] = receives.get(row.id, False) or gets
    codes = {row.id: row.registration_code or "" for row in rows}
    return Reach(
        len(codes),
        len({account for _id, _code, account, _index in rows if account is not None}),
        [(key, codes[key]) for key, gets in receives.items() if not gets],
    )


def _with_a_place(kindergarten_id: uuid.UUID, year: int) -> Select[uuid.UUID]:
    here: tuple[ColumnElement[bool], ...] = (Programme.kindergarten_id == kindergarten_id, Programme.year == year)
    return (
        select(Offer.application_id).select_from(Offer).join(Programme, Programme.id == Offer.programme_id).where(*here)
    )


def _in_classes(session: Session, kindergarten_id: uuid.UUID, year: int) -> list[tuple[uuid.UUID, str]]:
    """(application, class) of the children of this year who have arrived and are in a class now, by the name of the class."""
    arrived = join_current(
        _with_a_place(kindergarten_id, year).with_only_columns(Offer.application_id, RollClass.name, TO_FOLLOW)
    ).where(Offer.state == OfferState.ARRIVED)
    found = []
    for application_id, name, first_entry in session.execute(arrived.order_by(RollClass.name)):
        followed = follow(session, first_entry)
        if followed or name is not None:
            found.append((application_id, followed[0] if followed else name))
    return found
