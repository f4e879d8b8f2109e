"""A round's market while families still register: everybody who has handed in, as if the draw were tomorrow.

What a freeze gathers in codes, this gathers in numbers, and with facts that nobody has verified yet.  It refuses
nothing: what a freeze would refuse (bound children whose wishes differ) is read in the mildest way, for an estimate.
"""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from allocation.market import Market, Pool
from allocation.validity import LARGEST_UNIT
from enrollment.applications.applications import Application, Wish
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.eligibility.tiers import TierTable, likely_facts_of
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import LIVE, Offer
from enrollment.places.areas import LEVELS
from enrollment.places.programmes import Programme
from enrollment.season.facts import Ground
from enrollment.season.rounds import Round, RoundProgramme

BATCH = 2000
GROUNDS = {str(ground): number for number, ground in enumerate(Ground)}
Wished = Mapping[uuid.UUID, Sequence[int]]


@dataclass(frozen=True)
class Applied:
    """The market of a round at a moment.  `programmes` are the ids of its programmes, in the market's order."""

    round_id: uuid.UUID
    made_at: dt.datetime
    market: Market
    families: int
    programmes: tuple[uuid.UUID, ...]

    def pools_of(self, at: int) -> list[dict[str, Any]]:
        """For whom each pool of a programme is, in the order in which a wish tries them."""
        table = self.market.pools
        found = []
        for pool in range(int(table.start[at]), int(table.start[at + 1])):
            groups = table.group[table.group_start[pool] : table.group_start[pool + 1]].tolist()
            grounds = [list(GROUNDS)[group % len(GROUNDS)] for group in groups]
            found.append({"grounds": sorted(grounds), "locked": bool(table.locked[pool])})
        return found


def applied(session: Session, round_id: uuid.UUID, *, now: dt.datetime) -> Applied | None:
    """Everybody who takes part as things stand, or None when nobody has handed in."""
    round_ = session.get_one(Round, round_id)
    people = _people(session, round_)
    if not people:
        return None
    current = _current_places(session, round_id)
    programmes = _programmes(session, round_id, set(current.values()))
    number = {programme.id: index for index, programme in enumerate(programmes)}
    wished = _wishes(session, round_id, people, current, number)
    held = Counter(current[person.id] for person in people if person.id in current)
    table = TierTable(session, round_id)
    tiers, groups = _standings(session, table, people, wished, programmes)
    family = {code: index for index, code in enumerate(dict.fromkeys(person.family_code for person in people))}
    pools = _pools(programmes, held)
    market = Market.from_arrays(
        [0, *accumulate(len(wished[person.id]) for person in people)],
        [index for person in people for index in wished[person.id]],
        tiers,
        None,
        [max(programme.places - (programme.taken - held[programme.id]), 0) for programme in programmes],
        unit=_units(people, wished),
        family=[family[person.family_code] for person in people],
        elder=_elders(people),
        current=[number[current[person.id]] if person.id in current else -1 for person in people] if held else None,
        groups=groups if pools else None,
        pools=pools,
        level=[LEVELS.index(programme.level) for programme in programmes],
        sibling_tier=_sibling_tiers(table, programmes),
        pair_rule=round_.pair_rule,
    )
    return Applied(round_id, now, market, len(family), tuple(programme.id for programme in programmes))


def _people(session: Session, round_: Round) -> list[Row]:
    return list(
        session.execute(
            select(Application.id, Application.family_code, Application.unit, Application.level, Application.elder_id)
            .join(Wish, (Wish.application_id == Application.id) & (Wish.round_id == round_.id) & (Wish.rank == 1))
            .outerjoin(Offer, (Offer.application_id == Application.id) & (Offer.state == OfferState.ARRIVED))
            .where(Application.year == round_.year, Application.stage.in_(HANDED_IN), Offer.id.is_(None))
            .order_by(Application.id)
        )
    )


def _current_places(session: Session, round_id: uuid.UUID) -> dict[uuid.UUID, uuid.UUID]:
    wishing = select(Wish.application_id).where(Wish.round_id == round_id, Wish.rank == 1)
    rows = select(Offer.application_id, Offer.programme_id).where(
        Offer.state.in_(LIVE), Offer.state != OfferState.ARRIVED, Offer.application_id.in_(wishing)
    )
    return dict(session.execute(rows).all())


def _programmes(session: Session, round_id: uuid.UUID, held: set[uuid.UUID]) -> list[Programme]:
    of_round = select(RoundProgramme.programme_id).where(RoundProgramme.round_id == round_id)
    found = select(Programme).where(Programme.id.in_(of_round) | Programme.id.in_(held))
    return list(session.scalars(found.order_by(Programme.id)))


def _wishes(session: Session, round_id: uuid.UUID, people, current, number: dict[uuid.UUID, int]) -> Wished:
    """Programmes by number; a place that is held already is the last wish, as at a freeze."""
    wished: defaultdict[uuid.UUID, list[int]] = defaultdict(list)
    rows = select(Wish.application_id, Wish.programme_id).where(Wish.round_id == round_id)
    for application_id, programme_id in session.execute(rows.order_by(Wish.application_id, Wish.rank)):
        if programme_id in number:
            wished[application_id].append(number[programme_id])
    for person in people:
        place = number.get(current.get(person.id))
        if place is not None and place not in wished[person.id]:
            wished[person.id].append(place)
    return wished


def _standings(session: Session, table: TierTable, people, wished: Wished, programmes: list[Programme]):
    """The tier of each wish, and for each person the reserved places that it may claim."""
    tiers: list[int] = []
    groups: list[list[int]] = []
    spots = [table.spot(programme.kindergarten) for programme in programmes]
    reserved = [{ground for pool in programme.pools for ground in pool.groups} for programme in programmes]
    for start in range(0, len(people), BATCH):
        part = people[start : start + BATCH]
        facts_of = likely_facts_of(session, [person.id for person in part])
        for person in part:
            facts = facts_of.get(person.id, {})
            tiers += [tiered.tier for tiered in table.tiers_of(facts, [spots[at] for at in wished[person.id]])]
            groups.append(
                [
                    _group(at, ground)
                    for at in wished[person.id]
                    for ground in reserved[at]
                    if table.holds(Ground(ground), facts, programmes[at].kindergarten)
                ]
            )
    return tiers, groups


def _group(programme: int, ground: str) -> int:
    """A pool is for a ground *at this kindergarten*: an estate's owners here, not those of any estate."""
    return programme * len(GROUNDS) + GROUNDS[ground]


def _units(people: list[Row], wished: Wished) -> list[int]:
    """Bound children by number; who is left alone, or wishes otherwise than the rest, counts as separate."""
    members: defaultdict[uuid.UUID, list[Row]] = defaultdict(list)
    for person in people:
        if person.unit is not None:
            members[person.unit].append(person)
    sound = {
        unit: index
        for index, (unit, rows) in enumerate(members.items())
        if 1 < len(rows) <= LARGEST_UNIT
        and len({(row.family_code, row.level, tuple(wished[row.id])) for row in rows}) == 1
    }
    return [sound.get(person.unit, -1) for person in people]


def _elders(people: list[Row]) -> list[int]:
    row_of = {person.id: row for row, person in enumerate(people)}
    found = []
    for person in people:
        at = row_of.get(person.elder_id, -1)
        older = at >= 0 and LEVELS.index(people[at].level) > LEVELS.index(person.level)
        found.append(at if older else -1)
    return found


def _sibling_tiers(table: TierTable, programmes: list[Programme]) -> list[int]:
    found = []
    for programme in programmes:
        place = programme.kindergarten
        tier = table.rules_of(place.area_code).sibling_tier(place.nature)
        found.append(-1 if tier is None else tier)
    return found


def _pools(programmes: list[Programme], held: Counter) -> list[Pool]:
    """The reserved places.  What an earlier round left of a programme is for everybody, as at a freeze."""
    return [
        Pool(
            at,
            pool.code,
            pool.precedence,
            pool.places,
            tuple(sorted(_group(at, ground) for ground in pool.groups)),
            pool.unclaimed,
        )
        for at, programme in enumerate(programmes)
        if programme.taken == held[programme.id]
        for pool in programme.pools
    ]
