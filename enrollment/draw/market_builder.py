"""A round's market, gathered from rows: who takes part, what they wish for, their tiers, and the places there are."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session, aliased

from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import TAKES_PART
from enrollment.draw.draws import Ticket
from enrollment.draw.market_files import ChildRow, MarketFiles, PoolRow, ProgrammeRow, TicketRow, WishRow
from enrollment.eligibility.tiers import Spot, TierTable, verified_facts_of_round
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.areas import LEVELS
from enrollment.places.programmes import Programme
from enrollment.season.facts import Ground
from enrollment.season.rounds import Round, RoundProgramme

SIGN_OF_LIFE = 2000
"""After so many children the database hears from us: it ends a transaction that is silent for two minutes, and on a busy
machine a city takes longer."""

"""A returned application that was not answered goes in with its verified facts only."""


def programme_code(programme: Programme) -> str:
    """Kindergartens are public, so a programme's code is readable: the school's code and the class level."""
    return f"{programme.kindergarten.code}-{programme.level}"


@dataclass(frozen=True)
class Gathered:
    """The market's rows, and the children of it who have no ticket yet."""

    market: MarketFiles
    without_ticket: int


def gather(session: Session, round_: Round) -> Gathered:
    """Read everything that the engine will know of a round, once, in rows of codes."""
    people = _people(session, round_)
    wishes = _wishes(session, round_.id)
    current = _current_places(session, round_.id)
    programmes = _programmes(session, round_.id, set(current.values()))
    tickets = _tickets(session, round_, people)
    for person in people:
        place = current.get(person.id)
        if place and place not in wishes[person.id]:
            wishes[person.id].append(place)
    _refuse_unequal_bound(people, wishes)
    table = _Tiers(session, round_, programmes)
    children, wish_rows = [], []
    for number, person in enumerate(people):
        if number % SIGN_OF_LIFE == SIGN_OF_LIFE - 1:
            session.execute(text("SELECT 1"))
        place = current.get(person.id)
        rows, groups = table.wishes_of(person, wishes[person.id])
        wish_rows += rows
        children.append(_child_row(person, groups, programme_code(programmes[place]) if place else ""))
    held = Counter(current[person.id] for person in people if person.id in current)
    market = MarketFiles(
        season=str(round_.year),
        round=round_.kind,
        pair_rule=round_.pair_rule,
        programmes=_programme_rows(programmes, table.siblings, held),
        children=_without_absent_elders(children),
        wishes=wish_rows,
        pools=_pool_rows(programme for id_, programme in programmes.items() if programme.taken == held[id_]),
        tickets=[
            TicketRow(person.child_code, tickets[person.child_id]) for person in people if person.child_id in tickets
        ],
    )
    return Gathered(market, sum(person.child_id not in tickets for person in people))


def _people(session: Session, round_: Round) -> list[Row]:
    elder = aliased(Application)
    return list(
        session.execute(
            select(
                Application.id,
                Application.child_id,
                Application.child_code,
                Application.family_code,
                Application.unit,
                Application.level,
                elder.child_code.label("elder"),
                elder.level.label("elder_level"),
            )
            .outerjoin(elder, elder.id == Application.elder_id)
            .join(Wish, (Wish.application_id == Application.id) & (Wish.round_id == round_.id) & (Wish.rank == 1))
            .outerjoin(Offer, (Offer.application_id == Application.id) & (Offer.state == OfferState.ARRIVED))
            .where(Application.year == round_.year, Application.stage.in_(TAKES_PART), Offer.id.is_(None))
            .order_by(Application.child_code)
        )
    )


def _wishes(session: Session, round_id: uuid.UUID) -> defaultdict[uuid.UUID, list[uuid.UUID]]:
    wished: defaultdict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    rows = select(Wish.application_id, Wish.programme_id).where(Wish.round_id == round_id)
    for application_id, programme_id in session.execute(rows.order_by(Wish.application_id, Wish.rank)):
        wished[application_id].append(programme_id)
    return wished


def _current_places(session: Session, round_id: uuid.UUID) -> dict[uuid.UUID, uuid.UUID]:
    """Where those who take part already hold a place: it is theirs until they get a better one."""
    wishing = select(Wish.application_id).where(Wish.round_id == round_id, Wish.rank == 1)
    rows = select(Offer.application_id, Offer.programme_id).where(
        Offer.state.in_(LIVE), Offer.state != OfferState.ARRIVED, Offer.application_id.in_(wishing)
    )
    return dict(session.execute(rows).all())


def _programmes(session: Session, round_id: uuid.UUID, held: set[uuid.UUID]) -> dict[uuid.UUID, Programme]:
    of_round = select(RoundProgramme.programme_id).where(RoundProgramme.round_id == round_id)
    found = select(Programme).where(Programme.id.in_(of_round) | Programme.id.in_(held))
    return {programme.id: programme for programme in session.scalars(found)}


def _tickets(session: Session, round_: Round, people: list[Row]) -> dict[uuid.UUID, int]:
    if not people:
        return {}
    rows = session.execute(select(Ticket.child_id, Ticket.number).where(Ticket.year == round_.year))
    return dict(rows.all())


def _refuse_unequal_bound(people: list[Row], wishes: Mapping[uuid.UUID, list]) -> None:
    """Bound children go together or not at all, so they hand in the same wishes."""
    first: dict[uuid.UUID, Any] = {}
    unequal = {
        person.unit
        for person in people
        if person.unit and wishes[first.setdefault(person.unit, person).id] != wishes[person.id]
    }
    if unequal:
        raise Refused("bound_wishes_differ", n=len(unequal))


class _Wished(NamedTuple):
    """A programme as a wish meets it; `reserving` is the programme itself where some of its places are reserved."""

    code: str
    spot: Spot
    reserving: Programme | None


class _Tiers:
    """The wishes of a family with their tiers, and the groups whose reserved places it may claim."""

    def __init__(self, session: Session, round_: Round, programmes: dict[uuid.UUID, Programme]):
        self._table = TierTable(session, round_.id)
        self._facts = verified_facts_of_round(session, round_.id)
        # one look-up for each wish: a city has hundreds of thousands
        self._wished = {
            id_: _Wished(
                programme_code(programme),
                self._table.spot(programme.kindergarten),
                programme if any(pool.groups for pool in programme.pools) else None,
            )
            for id_, programme in programmes.items()
        }
        self.siblings = {
            id_: self._table.rules_of(programme.kindergarten.area_code).sibling_tier(programme.kindergarten.nature)
            for id_, programme in programmes.items()
        }

    def wishes_of(self, person: Row, wished: list[uuid.UUID]) -> tuple[list[WishRow], str]:
        facts = self._facts.get(person.id, {})
        here = [self._wished[id_] for id_ in wished]
        tiers = self._table.tiers_of(facts, [each.spot for each in here])
        child = person.child_code
        rows = [
            WishRow(child, rank, each.code, tiered.tier)
            for rank, (each, tiered) in enumerate(zip(here, tiers, strict=True), start=1)
        ]
        groups = {
            group_code(each.code, ground)
            for each in here
            if each.reserving is not None
            for pool in each.reserving.pools
            for ground in pool.groups
            if self._table.holds(Ground(ground), facts, each.reserving.kindergarten)
        }
        return rows, ";".join(sorted(groups))


def group_code(programme: str, ground: str) -> str:
    """A pool is for a ground *at this kindergarten*: an estate's owners here, not those of any estate."""
    return f"{programme}.{ground}"


def _child_row(person: Row, groups: str, current: str) -> ChildRow:
    older = person.elder and LEVELS.index(person.elder_level) > LEVELS.index(person.level)
    unit = person.unit.hex if person.unit else ""
    return ChildRow(person.child_code, person.family_code, unit, groups, person.elder if older else "", current)


def _without_absent_elders(children: list[ChildRow]) -> list[ChildRow]:
    """An elder who withdrew, or was refused, lifts nobody; a unit of which one is left is a single child."""
    here = {row.child for row in children}
    sizes = Counter(row.unit for row in children)
    return [
        row._replace(elder=row.elder if row.elder in here else "", unit=row.unit if sizes[row.unit] > 1 else "")
        for row in children
    ]


def _programme_rows(
    programmes: dict[uuid.UUID, Programme], siblings: dict[uuid.UUID, int | None], held: Counter[uuid.UUID]
) -> list[ProgrammeRow]:
    """A programme's places are those that nobody outside this market holds."""
    return [
        ProgrammeRow(
            programme=programme_code(programme),
            kindergarten=programme.kindergarten.code,
            level=programme.level,
            nature=programme.kindergarten.nature,
            area=programme.kindergarten.area_code,
            places=max(programme.places - (programme.taken - held[id_]), 0),
            sibling_tier=siblings[id_],
        )
        for id_, programme in programmes.items()
    ]


def _pool_rows(programmes: Iterable[Programme]) -> list[PoolRow]:
    """The reserved places.  What an earlier round left of a programme is for everybody, so the caller leaves it out."""
    rows = []
    for programme in programmes:
        code = programme_code(programme)
        for pool in programme.pools:
            groups = ";".join(sorted(group_code(code, ground) for ground in pool.groups))
            rows.append(PoolRow(code, pool.code, pool.precedence, pool.places, groups, pool.unclaimed))
    return rows
