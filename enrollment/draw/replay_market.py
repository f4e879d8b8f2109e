"""The market of a replay: the frozen market of the round, without the children who no longer take part.

Wishes, tiers, reserved places and groups stay as they were frozen.  Places, and who holds which, are read anew.
"""

import datetime as dt
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from allocation.validation import LARGEST_UNIT
from enrollment.draw import market_builder
from enrollment.draw.market_files import MarketFiles
from enrollment.draw.round_market import (
    OfferedProgramme,
    Participant,
    ReservedPool,
    RoundMarket,
    alike_units,
    places_held,
    without_absent_elders,
)
from enrollment.ground.errors import Refused
from enrollment.offers import waitlist
from enrollment.places import programmes
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round
from enrollment.season.rules import WORST

KIND = "waitlist"
"""What the market of a replay has as the kind of its round."""


def remaining(session: Session, round_: Round, frozen: MarketFiles, *, now: dt.datetime) -> RoundMarket:
    """The market of those who still take part.  Refuses `nothing_to_hand_on` when nobody in line wants a free place."""
    market = taking_part(session, round_, frozen, now=now)
    held = places_held(each.current for each in market.participants)
    _refuse_idle(market.programmes, held, market.participants)
    return market


def taking_part(session: Session, round_: Round, frozen: MarketFiles, *, now: dt.datetime) -> RoundMarket:
    """The market of those who still take part.  Whoever holds a place takes part with it and keeps it at least."""
    known = programmes.by_code(session, round_.year)
    code_of = {programme.id: code for code, programme in known.items()}
    market = market_builder.decode(frozen, {code: programme.id for code, programme in known.items()})
    standings = waitlist.standings(session, round_, now=now)
    participants = []
    for each in market.participants:
        standing = standings.get(each.child)
        if standing is None or not standing.takes_part:
            continue
        held = code_of[standing.programme_id] if standing.programme_id else ""
        participant = _with_place(each, held, is_content=not standing.in_line)
        if participant.wishes:
            participants.append(participant)
    places = places_held(each.current for each in participants)
    return replace(
        market,
        kind=KIND,
        programmes=_offered(market.programmes, known, places),
        participants=_separated(without_absent_elders(participants), market.participants),
    )


def _with_place(each: Participant, held: str, *, is_content: bool) -> Participant:
    """The participant with the place `held` ("": none), as it is now.

    Who waits for nothing better (`is_content`) takes part with its place alone, and with no wish at all if the place is none
    of its wishes.  Who still waits for a better wish has a place of an earlier round, or of central placement, as its last
    wish.  Each wish keeps its number in the family's own list, so that a place at the third wish is never counted as one at the
    first.
    """
    if is_content:
        own = [row for row in zip(each.wishes, each.tiers, each.own_ranks, strict=True) if row[0] == held]
        wishes, tiers, ranks = zip(*own, strict=True) if own else ((), (), ())
        return replace(each, current=held, wishes=wishes, tiers=tiers, ranks=ranks)
    if held and each.wishes and held not in each.wishes:
        ranks = (*each.own_ranks, each.own_ranks[-1] + 1)
        return replace(each, current=held, wishes=(*each.wishes, held), tiers=(*each.tiers, WORST), ranks=ranks)
    return replace(each, current=held)


def _offered(
    frozen: Sequence[OfferedProgramme], known: Mapping[str, Programme], held: Counter[str]
) -> list[OfferedProgramme]:
    """The frozen programmes, and those where participants hold a place of another round, with their places now."""
    offered = {each.code: each for each in frozen}
    for code in held.keys() - offered.keys():
        offered[code] = _of_another_round(known[code])
    return [
        replace(each, places=places, pools=_pools_that_fit(each.pools, places))
        for each in offered.values()
        for places in (known[each.code].places_for(held[each.code]),)
    ]


def _of_another_round(programme: Programme) -> OfferedProgramme:
    kindergarten = programme.kindergarten
    return OfferedProgramme(
        id=programme.id,
        code=programme.code,
        kindergarten=kindergarten.code,
        level=programme.level,
        nature=kindergarten.nature,
        area=kindergarten.area_code,
        places=0,
        sibling_tier=None,
    )


def _pools_that_fit(pools: Sequence[ReservedPool], places: int) -> tuple[ReservedPool, ...]:
    """Reserved places cannot be more than the places there are; the last in precedence lose theirs first."""
    kept = []
    for pool in pools:
        kept.append(replace(pool, places=min(pool.places, places)))
        places -= kept[-1].places
    return tuple(kept)


def _refuse_idle(offered: Sequence[OfferedProgramme], held: Counter[str], participants: Sequence[Participant]) -> None:
    """Everything would stay as it is unless somebody prefers a free place to the place that it holds."""
    free = {each.code for each in offered if each.places > held[each.code]}
    for each in participants:
        better = each.wishes[: each.wishes.index(each.current)] if each.current else each.wishes
        if not free.isdisjoint(better):
            return
    raise Refused("nothing_to_hand_on")


def _separated(participants: Sequence[Participant], frozen: Sequence[Participant]) -> list[Participant]:
    """A bond counts while every child of it takes part, with the same place and wishes; otherwise each is alone."""
    size: Counter[Hashable] = Counter(each.unit for each in frozen if each.unit)
    there: Counter[Hashable] = Counter(each.unit for each in participants if each.unit)
    alike = alike_units(((each.unit, (each.current, each.wishes)) for each in participants), LARGEST_UNIT)
    whole = {unit for unit in alike if there[unit] == size[unit]}
    return [each if each.unit in whole or not each.unit else replace(each, unit="") for each in participants]
