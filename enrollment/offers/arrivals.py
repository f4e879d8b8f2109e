"""Arrival 报到: who is expected, the health check and the check of the vaccination card, who came and who did not.

Neither check refuses a child: a missing vaccination is given later, and the kindergarten reports it.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ForeignKey, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from enrollment.applications.applications import Application
from enrollment.applications.register_answers import VACCINATION, RegisterAnswer
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import today
from enrollment.ground.db import Base
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import offers
from enrollment.offers.offers import EXPECTED, Offer, OfferState
from enrollment.people.person_rows import Child
from enrollment.places import scope
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.calendar import SeasonDate

SHOWN = (*EXPECTED, OfferState.ARRIVED, OfferState.NO_SHOW)
PER_PAGE = 50


class ArrivalCheck(Base):
    """The dates of the two checks at arrival; None if a check is not done yet."""

    __tablename__ = "arrival_check"

    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("offer.id"), primary_key=True)
    health_on: Mapped[dt.date | None]
    vaccination_on: Mapped[dt.date | None]
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[dt.datetime]


@dataclass(frozen=True)
class Expected:
    """One child on the arrival list.  `vaccination` is the answer of the register, if it was asked."""

    offer_id: uuid.UUID
    state: str
    child_name: str
    registration_code: str
    kindergarten: str
    level: str
    year: int
    health_on: dt.date | None
    vaccination_on: dt.date | None
    vaccination: str | None


@dataclass(frozen=True)
class Page:
    items: Sequence[Expected]
    number: int
    last: int
    total: int


@dataclass(frozen=True)
class Counts:
    expected: int
    arrived: int
    no_show: int


def _here(by: Actor, kindergarten_id: uuid.UUID | None) -> list[ColumnElement[bool]]:
    mine = [scope.scope_condition(by), Offer.state.in_(SHOWN)]
    return [*mine, Kindergarten.id == kindergarten_id] if kindergarten_id else mine


def _of_year(year: int):
    return and_(Programme.id == Offer.programme_id, Programme.year == year)


def expected(
    session: Session,
    year: int,
    *,
    by: Actor,
    state: str | None = None,
    kindergarten_id: uuid.UUID | None = None,
    offer_id: uuid.UUID | None = None,
    page: int = 1,
    per_page: int = PER_PAGE,
) -> Page:
    """The arrival list of a year within the actor's scope, by registration code.  `state`: expected, arrived, no_show."""
    here = _here(by, kindergarten_id)
    if offer_id is not None:
        here.append(Offer.id == offer_id)
    if state is not None:
        here.append(Offer.state.in_(EXPECTED if state == "expected" else (state,)))
    rows = (
        select(
            Offer.id,
            Offer.state,
            Child.name,
            Application.registration_code,
            Kindergarten.name.label("kindergarten"),
            Programme.level,
            Programme.year,
            ArrivalCheck.health_on,
            ArrivalCheck.vaccination_on,
            RegisterAnswer.answer,
        )
        .join(Programme, _of_year(year))
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .join(Application, Application.id == Offer.application_id)
        .join(Child, Child.id == Offer.child_id)
        .outerjoin(ArrivalCheck, ArrivalCheck.offer_id == Offer.id)
        .outerjoin(
            RegisterAnswer,
            and_(RegisterAnswer.application_id == Application.id, RegisterAnswer.fact == VACCINATION),
        )
        .where(*here)
    )
    total = session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    last = max(-(-total // per_page), 1)
    number = min(max(page, 1), last)
    found = session.execute(
        rows.order_by(Application.registration_code).limit(per_page).offset((number - 1) * per_page)
    )
    listed: list[tuple] = [tuple(row) for row in found]
    return Page([Expected(*row) for row in listed], number, last, total)


def one_expected(session: Session, offer_id: uuid.UUID, *, by: Actor) -> Expected:
    """One child that is still expected at the actor's kindergarten.  NotFound for any other."""
    year = _at_my_door(session, offer_id, by=by).year
    found = expected(session, year, by=by, state="expected", offer_id=offer_id).items
    if not found:
        raise NotFound("offer")
    return found[0]


def counts(session: Session, year: int, *, by: Actor, kindergarten_id: uuid.UUID | None = None) -> Counts:
    row = session.execute(
        select(
            func.count().filter(Offer.state.in_(EXPECTED)),
            func.count().filter(Offer.state == OfferState.ARRIVED),
            func.count().filter(Offer.state == OfferState.NO_SHOW),
        )
        .select_from(Offer)
        .join(Programme, _of_year(year))
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(*_here(by, kindergarten_id))
    ).one()
    return Counts(*row)


def begins_at(session: Session, year: int) -> dt.datetime | None:
    """When the arrival days of the year begin; None if the calendar does not have them."""
    step = session.get(SeasonDate, (year, "arrival"))
    return step.begins_at if step else None


def note_checks(
    session: Session,
    offer_id: uuid.UUID,
    *,
    health: bool,
    vaccination: bool,
    by: Actor,
    now: dt.datetime,
) -> None:
    """Store which of the two checks are done; a check that was done before keeps its first date."""
    _at_my_door(session, offer_id, by=by)
    before = session.get(ArrivalCheck, offer_id, populate_existing=True)
    health_on = (before and before.health_on) or today(now)
    vaccination_on = (before and before.vaccination_on) or today(now)
    said = {
        "health_on": health_on if health else None,
        "vaccination_on": vaccination_on if vaccination else None,
        "account_id": by.account_id,
        "at": now,
    }
    kept = insert(ArrivalCheck).values(offer_id=offer_id, **said)
    session.execute(kept.on_conflict_do_update(index_elements=["offer_id"], set_=said))
    audit.record(session, "arrival_check", "offer", offer_id, by=by, now=now, health=health, vaccination=vaccination)


def arrive(
    session: Session,
    offer_id: uuid.UUID,
    *,
    class_name: str,
    health: bool,
    vaccination: bool,
    by: Actor,
    now: dt.datetime,
) -> Offer:
    """Record that the child has arrived, and add it to the roll of its class.

    Refuses `class_name_missing`, `arrival_not_begun`, and what `offers.mark_arrived` refuses.
    """
    if not class_name.strip():
        raise Refused("class_name_missing", field="class_name")
    _refuse_too_early(session, offer_id, by=by, now=now)
    note_checks(session, offer_id, health=health, vaccination=vaccination, by=by, now=now)
    return offers.mark_arrived(session, offer_id, by=by, now=now, class_name=class_name.strip())


def did_not_come(session: Session, offer_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> Offer:
    """Record that the child did not come; the place is free for the next in line.  Refuses `arrival_not_begun`, and what `offers.mark_no_show` refuses."""
    _refuse_too_early(session, offer_id, by=by, now=now)
    return offers.mark_no_show(session, offer_id, by=by, now=now, reason=reason)


def _at_my_door(session: Session, offer_id: uuid.UUID, *, by: Actor) -> Programme:
    found = session.scalar(
        select(Programme)
        .join(Offer, Offer.programme_id == Programme.id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Offer.id == offer_id, scope.scope_condition(by))
    )
    if found is None:
        raise NotFound("offer")
    return found


def _refuse_too_early(session: Session, offer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    begins = begins_at(session, _at_my_door(session, offer_id, by=by).year)
    if begins is not None and now < begins:
        raise Refused("arrival_not_begun")


def admitted_codes(session: Session, kindergarten_id: uuid.UUID, year: int, *, by: Actor) -> dict[str, list[str]]:
    """Registration codes of those who hold a place here, by class level: the list for the notice board 录取公示."""
    kindergarten = scope.kindergarten_in_scope(session, kindergarten_id, by=by)
    rows = session.execute(
        select(Programme.level, Application.registration_code)
        .join(Offer, Offer.programme_id == Programme.id)
        .join(Application, Application.id == Offer.application_id)
        .where(Programme.kindergarten_id == kindergarten.id, Programme.year == year, Offer.state.in_(offers.LIVE))
        .order_by(Application.registration_code)
    )
    listed: dict[str, list[str]] = {}
    for level, code in rows:
        listed.setdefault(level, []).append(code or "")
    return listed
