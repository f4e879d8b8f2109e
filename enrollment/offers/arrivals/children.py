"""The children of a kindergarten from the minute of publication: who is offered a place, expected, arrived, or not coming."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.register_answers import VACCINATION, RegisterAnswer
from enrollment.ground.accounts import Actor
from enrollment.ground.vault import mask
from enrollment.offers.arrivals.current_entries import ENTERED_ON, TO_FOLLOW, follow, join_current
from enrollment.offers.arrivals.rows import ArrivalCheck, Check
from enrollment.offers.offer_rows import EXPECTED, Offer, OfferMove, OfferState
from enrollment.people.person_rows import Child, Guardian, Guardianship
from enrollment.places import pinyin, scope
from enrollment.places.kindergartens import Kindergarten, Page, paginate_rows
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollClass

MOST_CARDS = 400
"""The page at the door holds all children of a kindergarten (at most 360 on its roll), so that it finds them without a network;
who works for several kindergartens with more children turns pages."""


class Group(StrEnum):
    """The lists of the arrivals page."""

    EXPECTED = "expected"
    ARRIVED = "arrived"
    MISSING = "missing"
    OFFERED = "offered"
    GONE = "gone"


STATES_OF_GROUP: dict[Group, tuple[OfferState, ...]] = {
    Group.EXPECTED: EXPECTED,
    Group.ARRIVED: (OfferState.ARRIVED,),
    Group.MISSING: (OfferState.ARRIVED,),
    Group.OFFERED: (OfferState.OFFERED,),
    Group.GONE: (OfferState.NO_SHOW, OfferState.DECLINED, OfferState.EXPIRED, OfferState.REVOKED),
}


@dataclass(frozen=True)
class ArrivingChild:
    """One child on the arrival list.  `vaccination` is the answer of the register, if it was asked; `state_since` when the
    offer got its state."""

    offer_id: uuid.UUID
    application_id: uuid.UUID
    programme_id: uuid.UUID
    state: str
    rank: int | None
    answer_by: dt.datetime
    notice_code: str
    child_name: str
    born: dt.date
    sex: str
    registration_code: str
    kindergarten_id: uuid.UUID
    kindergarten: str
    level: str
    year: int
    health_on: dt.date | None
    vaccination_on: dt.date | None
    pickup_on: dt.date | None
    vaccination: str | None
    class_name: str | None
    entered_on: dt.date | None
    state_since: dt.datetime | None
    relation: str | None = None
    guardian: str | None = None
    phone: str | None = None

    @property
    def initials(self) -> str:
        """The first letters of the name in pinyin: 李沐晨 → LMC."""
        return "".join(syllable[0] for syllable in pinyin.sort_key(self.child_name).split()).upper()

    @property
    def masked_name(self) -> str:
        """The name in a list, masked in the middle."""
        return mask(self.child_name, 1, 1)

    @property
    def masked_phone(self) -> str:
        return mask((self.phone or "").removeprefix("+86"), 3, 4)

    @property
    def missing(self) -> list[str]:
        """The checks that are not done."""
        return [check for check in Check if getattr(self, f"{check}_on") is None]


@dataclass(frozen=True)
class Counts:
    expected: int
    arrived: int
    missing: int
    offered: int
    gone: int


def children(
    session: Session,
    year: int,
    group: Group,
    *,
    by: Actor,
    offer_ids: Collection[uuid.UUID] | None = None,
    here: ColumnElement[bool] | None = None,
) -> list[ArrivingChild]:
    """All children of a list within the actor's scope, by registration code; `here` is a condition on their kindergarten."""
    chosen = _chosen(year, group, by)
    if here is not None:
        chosen = chosen.where(here)
    if offer_ids is not None:
        chosen = chosen.where(Offer.id.in_(offer_ids))
    return _with_guardians(session, session.execute(chosen).all())


def page_of_children(session: Session, year: int, group: Group, *, by: Actor, page: int) -> Page:
    """One page of a list, at most `MOST_CARDS` children."""
    found = paginate_rows(session, _chosen(year, group, by), page, MOST_CARDS)
    return replace(found, items=_with_guardians(session, found.items))


def find(session: Session, year: int, typed: str, *, by: Actor) -> list[ArrivingChild]:
    """Children whose initials, name, registration code or notice code fit what was typed or scanned; at most five."""
    wanted = "".join(typed.rsplit("/verify/", 1)[-1].split()).upper()
    if not wanted:
        return []
    states = (OfferState.OFFERED, *EXPECTED, OfferState.ARRIVED)
    listed = _with_guardians(session, session.execute(_query(year, by).where(Offer.state.in_(states))).all())
    exact = [each for each in listed if wanted in (each.registration_code.upper(), each.notice_code.upper())]
    if exact:
        return exact
    plain = wanted.replace("-", "")
    fits = [
        each
        for each in listed
        if each.initials.startswith(wanted)
        or wanted in each.child_name.upper()
        or each.registration_code.replace("-", "").startswith(plain)
    ]
    return sorted(fits, key=lambda each: (each.state == OfferState.ARRIVED, each.registration_code))[:5]


def counts(session: Session, year: int, *, by: Actor) -> Counts:
    """How many children are in each list."""
    row = session.execute(
        select(
            func.count().filter(Offer.state.in_(EXPECTED)),
            func.count().filter(Offer.state == OfferState.ARRIVED),
            func.count().filter(Offer.state == OfferState.ARRIVED, _incomplete()),
            func.count().filter(Offer.state == OfferState.OFFERED),
            func.count().filter(Offer.state.in_(STATES_OF_GROUP[Group.GONE]), ~_holds_a_place_here()),
        )
        .select_from(Offer)
        .join(Programme, _of_year(year))
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .outerjoin(ArrivalCheck, ArrivalCheck.offer_id == Offer.id)
        .where(scope.scope_condition(by))
    ).one()
    return Counts(*row)


def _chosen(year: int, group: Group, by: Actor) -> Select:
    chosen = _query(year, by).where(Offer.state.in_(STATES_OF_GROUP[group]))
    if group == Group.MISSING:
        chosen = chosen.where(_incomplete())
    if group == Group.GONE:
        chosen = chosen.where(~_holds_a_place_here())
    return chosen


def _of_year(year: int):
    return and_(Programme.id == Offer.programme_id, Programme.year == year)


def _incomplete():
    return or_(*(getattr(ArrivalCheck, f"{check}_on").is_(None) for check in Check))


def _holds_a_place_here():
    """A place that was given up and then offered to the same child again is not told as lost."""
    other = Offer.__table__.alias("other")
    return (
        select(other.c.id)
        .where(other.c.application_id == Offer.application_id, other.c.programme_id == Offer.programme_id)
        .where(or_(other.c.made_at > Offer.made_at, other.c.state.in_(EXPECTED)), other.c.id != Offer.id)
        .exists()
    )


def _query(year: int, by: Actor) -> Select:
    since = select(func.max(OfferMove.at)).where(OfferMove.offer_id == Offer.id).scalar_subquery()
    listed: Select = (
        select(
            Offer.id, Offer.application_id, Offer.programme_id, Offer.state, Offer.rank, Offer.answer_by,
            Offer.notice_code, Child.name, Child.born, Child.sex, Application.registration_code, Kindergarten.id,
            Kindergarten.name, Programme.level, Programme.year, ArrivalCheck.health_on, ArrivalCheck.vaccination_on,
            ArrivalCheck.pickup_on, RegisterAnswer.answer, RollClass.name, ENTERED_ON, since, Offer.child_id,
            TO_FOLLOW,
        )
        .join(Programme, _of_year(year))
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .join(Application, Application.id == Offer.application_id)
        .join(Child, Child.id == Offer.child_id)
        .outerjoin(ArrivalCheck, ArrivalCheck.offer_id == Offer.id)
        .outerjoin(
            RegisterAnswer, and_(RegisterAnswer.application_id == Application.id, RegisterAnswer.fact == VACCINATION)
        )
        .where(scope.scope_condition(by))
        .order_by(Application.registration_code)
    )  # fmt: skip
    return join_current(listed)


def _with_guardians(session: Session, rows: Sequence) -> list[ArrivingChild]:
    """The rows with the first guardian of each child, whom the kindergarten calls."""
    first = _first_guardians(session, [row.child_id for row in rows])
    listed = []
    for *shown, child_id, first_entry in rows:
        child = ArrivingChild(*shown, *first.get(child_id, (None, None, None)))
        if followed := follow(session, first_entry):
            child = replace(child, class_name=followed[0], entered_on=followed[1])
        listed.append(child)
    return listed


def _first_guardians(session: Session, child_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str, str]]:
    found = session.execute(
        select(Guardianship.child_id, Guardianship.relation, Guardian.name, Guardian.phone)
        .join(Guardian, Guardian.id == Guardianship.guardian_id)
        .where(Guardianship.child_id.in_(list(child_ids)), Guardianship.accepted_at.is_not(None))
        .order_by(Guardianship.since.desc())
    )
    return {child_id: (relation, name, phone) for child_id, relation, name, phone in found}
