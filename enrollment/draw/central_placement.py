"""Central placement 统筹安排: children without a place after the rounds get proposals for the nearest vacancies.

An official starts the computation, reads the proposals, and sends them.  Each becomes an offer that the family answers.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Row, and_, delete, func, select
from sqlalchemy.orm import Session

from allocation import central
from allocation.coverage import Coverage
from allocation.market import NATURES
from enrollment.applications.applications import Application
from enrollment.applications.notifications import Notification, notify_guardians_each
from enrollment.draw import publication, unplaced
from enrollment.draw.draws import Ticket
from enrollment.eligibility.home_points import HomePoint, HomePoints
from enrollment.eligibility.households import Household
from enrollment.eligibility.tiers import rules_in_round
from enrollment.ground import audit
from enrollment.ground.accounts import Actor
from enrollment.ground.city_time import format_time
from enrollment.ground.errors import Refused
from enrollment.offers import offers
from enrollment.offers.offers import CentralProposal
from enrollment.places.distances import metres_to
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme, ProgrammeState
from enrollment.season.calendar import require_city_official
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import KINDS_WITH_WISHES, Round

NEAREST = 40
"""How many of the nearest vacancies are considered for each child."""


@dataclass(frozen=True)
class UnsentProposal:
    """A proposal that was not sent yet."""

    registration_code: str
    kindergarten: Kindergarten
    metres: int | None


def waiting(session: Session, year: int) -> list[UnsentProposal]:
    """The proposals that were computed and not sent, the farthest first."""
    found = (
        select(Application.registration_code, Programme, CentralProposal.metres)
        .join(Application, Application.id == CentralProposal.application_id)
        .join(Programme, Programme.id == CentralProposal.programme_id)
        .where(Application.year == year, CentralProposal.offer_id.is_(None))
        .order_by(CentralProposal.metres.desc().nulls_last(), Application.registration_code)
    )
    return [
        UnsentProposal(code or "", programme.kindergarten, metres) for code, programme, metres in session.execute(found)
    ]


def propose(session: Session, year: int, *, by: Actor, now: dt.datetime) -> int:
    """Compute who could go where: as many children as possible, then the least distance.  Returns how many.

    How much farther a public kindergarten may be and still come first, the policy of the child's own area says.  It replaces proposals that were not sent.  Refuses `round_still_going` and `nobody_to_propose`.
    """
    require_city_official(by)
    _refuse_during_a_round(session, year)
    session.execute(delete(CentralProposal).where(CentralProposal.offer_id.is_(None)))
    children, places = _children(session, year), _vacancies(session, year)
    ways = _ways(children, places)
    if not len(ways.child):
        raise Refused("nobody_to_propose")
    numbers = {unit: at for at, unit in enumerate({row.unit for row in children if row.unit})}
    found = central.propose(
        np.array([row.number for row in children]),
        ways,
        np.array([row.places - row.taken for row in places]),
        np.array([NATURES.index(row.nature) for row in places]),
        _tolerances(session, year, [row.home for row in children]),
        unit=np.array([numbers[row.unit] if row.unit else -1 for row in children]),
    )
    for child, place, metres in zip(children, found.programme.tolist(), found.metres.tolist(), strict=True):
        if place >= 0:
            session.add(
                CentralProposal(
                    application_id=child.id,
                    programme_id=places[place].id,
                    metres=metres,
                    proposed_at=now,
                    proposed_by=by.account_id,
                )
            )
    audit.record(session, "propose_central", "season", year, by=by, now=now, seated=found.seated)
    session.flush()
    return found.seated


def _tolerances(session: Session, year: int, homes: list[str | None]) -> np.ndarray:
    """Metres for each child, from the rules that the newest published round applied in its area; 0 where there are none."""
    newest = (
        select(Round)
        .where(Round.year == year, Round.stage == RoundStage.PUBLISHED)
        .order_by(Round.number.desc())
        .limit(1)
    )
    round_ = session.scalars(newest).first()
    metres: dict[str | None, int] = {None: 0}
    for area in sorted({home for home in homes if home}):
        try:
            metres[area] = rules_in_round(session, round_, area).central_tolerance if round_ else 0
        except Refused as refused:
            if refused.code != "area_without_policy":
                raise
            metres[area] = 0
    return np.array([metres[home] for home in homes], dtype=np.int64)


def effect(session: Session, year: int, before: Coverage) -> Coverage:
    """Both shares once the children of the proposals that wait have arrived."""
    waiting_ones = (
        select(Kindergarten.nature)
        .select_from(CentralProposal)
        .join(Application, Application.id == CentralProposal.application_id)
        .join(Programme, Programme.id == CentralProposal.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Application.year == year, CentralProposal.offer_id.is_(None))
    )
    nature = np.array([NATURES.index(one) for one in session.scalars(waiting_ones)], dtype=np.int64)
    nowhere = np.full(len(nature), -1, dtype=np.int32)
    return central.Proposals(np.arange(len(nature), dtype=np.int32), nowhere).effect(before, nature)


def _refuse_during_a_round(session: Session, year: int) -> None:
    going = select(Round.name).where(
        Round.year == year,
        Round.kind.in_(KINDS_WITH_WISHES),
        Round.stage.in_((RoundStage.OPEN, RoundStage.CLOSED, RoundStage.FROZEN, RoundStage.DRAWN)),
    )
    name = session.scalar(going.limit(1))
    if name is not None:
        raise Refused("round_still_going", name=name)


@dataclass(frozen=True)
class _Child:
    id: uuid.UUID
    level: str
    unit: uuid.UUID | None
    number: int
    home: str | None
    point: HomePoint


def _children(session: Session, year: int) -> list[_Child]:
    """Who agreed, never held a place, and whose home is on the map, by itself or by its estate or street; in ticket order.

    A family that lives outside the city has no home here from which a distance could be told: it stays on the list of
    children without a place, with its officer.
    """
    base = unplaced.without_place(year).subquery()
    found = (
        select(
            Application.id,
            Application.level,
            Application.unit,
            Ticket.number,
            Household,
            base.c.home,
        )
        .join(base, and_(base.c.id == Application.id, base.c.gave_up.is_(False)))
        .join(Ticket, and_(Ticket.child_id == Application.child_id, Ticket.year == Application.year))
        .join(Household, Household.application_id == Application.id)
        .where(Application.agrees_to_central, Household.home_area.is_not(None))
        .order_by(Ticket.number)
    )
    points = HomePoints(session)
    return [
        _Child(row.id, row.level, row.unit, row.number, row.home, point)
        for row in session.execute(found)
        if (point := points.of(row.Household)) is not None
    ]


def _vacancies(session: Session, year: int) -> list[Row]:
    found = (
        select(
            Programme.id,
            Programme.level,
            Programme.places,
            Programme.taken,
            Kindergarten.nature,
            Kindergarten.longitude,
            Kindergarten.latitude,
        )
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(
            Programme.year == year,
            Programme.state == ProgrammeState.APPROVED,
            Programme.taken < Programme.places,
            Kindergarten.closed_on.is_(None),
            Kindergarten.longitude.is_not(None),
        )
        .order_by(Kindergarten.code)
    )
    return list(session.execute(found))


def _ways(children: list[_Child], places: list[Row]) -> central.Ways:
    """For each child its nearest vacancies of its class level."""
    child, programme, metres = [], [], []
    by_level: dict[str, list[int]] = {}
    for where, place in enumerate(places):
        by_level.setdefault(place.level, []).append(where)
    sites = np.array([(float(place.longitude), float(place.latitude)) for place in places]).reshape(-1, 2)
    for at, row in enumerate(children):
        here = np.array(by_level.get(row.level, ()), dtype=np.int64)
        distances = metres_to(row.point.longitude, row.point.latitude, sites[here])
        for nearest in np.lexsort((here, distances))[:NEAREST].tolist():
            child.append(at)
            programme.append(int(here[nearest]))
            metres.append(int(distances[nearest]))
    return central.Ways(*(np.array(column, dtype=np.int32) for column in (child, programme, metres)))


def send(session: Session, year: int, *, by: Actor, now: dt.datetime) -> int:
    """Turn the proposals into offers and notify the families.  Vacancies that were taken meanwhile are left out.

    Returns how many offers were made.
    """
    require_city_official(by)
    _refuse_during_a_round(session, year)
    round_id = session.scalar(
        select(Round.id)
        .where(Round.year == year, Round.stage == RoundStage.PUBLISHED)
        .order_by(Round.number.desc())
        .limit(1)
    )
    found = (
        select(CentralProposal, Application)
        .join(Application, Application.id == CentralProposal.application_id)
        .where(Application.year == year, CentralProposal.offer_id.is_(None))
        .order_by(CentralProposal.programme_id, CentralProposal.id)
    )
    waiting_ones = session.execute(found.with_for_update(of=CentralProposal)).all()
    if round_id is None or not waiting_ones:
        raise Refused("nobody_to_propose")
    answer_by = publication.answer_deadline(now, now)
    told = []
    for proposal, application in waiting_ones:
        offer = _offer(session, application, proposal, round_id, answer_by, by, now)
        if offer is not None:
            proposal.offer_id = offer.id
            due = {"due": format_time(answer_by)}
            told.append(Notification(application.child_id, application.id, f"central:{offer.id}", due))
    notify_guardians_each(session, "central_offered", told, now=now, by=by)
    audit.record(session, "send_central", "season", year, by=by, now=now, offers=len(told))
    session.flush()
    return len(told)


def _offer(
    session: Session,
    application: Application,
    proposal: CentralProposal,
    round_id: uuid.UUID,
    answer_by: dt.datetime,
    by: Actor,
    now: dt.datetime,
) -> offers.Offer | None:
    try:
        with session.begin_nested():
            offer = offers.make(
                session, application, proposal.programme_id, round_id=round_id, answer_by=answer_by, by=by, now=now
            )
            session.flush()
            return offer
    except Refused:
        return None


def counts(session: Session, year: int) -> tuple[int, int]:
    """How many proposals wait, and how many were sent."""
    sent = func.count(CentralProposal.offer_id)
    found = select(func.count() - sent, sent).join(Application, Application.id == CentralProposal.application_id)
    row = session.execute(found.where(Application.year == year)).one()
    return row[0], row[1]
