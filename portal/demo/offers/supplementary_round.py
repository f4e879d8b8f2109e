"""The supplementary round of the demo city: who asks for the places that the main round left free.

Families who come late are new in the city, or missed the days of registration.  Families whom the main round left without a
place ask again, for the kindergartens near home that have one.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from enrollment.applications import submission, wishes
from enrollment.applications.application_rows import Application, Stage, guardians_account
from enrollment.draw import round_opening
from enrollment.ground.accounts import Account, Actor, actor_of
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.offers import round_notices
from enrollment.offers.offers import Offer
from enrollment.people.household_rows import Household
from enrollment.places.programmes import Programme
from enrollment.season import rounds
from enrollment.season.round_rows import RoundKind
from enrollment.season.rounds import Round
from portal.demo import season
from portal.demo.programmes import DemoProgramme

FIRST_PHONE = 18_900_500_000
MOST_LATE = 0.25
"""Of an area's children, those who come late at most.  A small city has more free places than such families."""

MAX_WISHES = 3
OPENS, CLOSES = season.moment(6, 12), season.moment(6, 16, 17)
REGISTERED, REVIEWED = season.moment(6, 13, 18), season.moment(6, 17, 10)
DRAWN, OPENED = season.moment(6, 18, 10), season.moment(6, 19)
CONFIRM_BY = season.moment(6, 23, 17)


NAME = "2026 年秋季补录批次（小班）"


def of_the_demo(session: Session) -> Round | None:
    """The round that `open_round` opened; None if there is none, or a visitor has planned another one."""
    found = rounds.rounds_of_year(session, season.YEAR)
    return next((each for each in found if each.name == NAME and each.opens_at == OPENS), None)


def open_round(session: Session, by: Actor) -> Round:
    """Plan and open the round, and tell the families without a place."""
    planned = rounds.plan(
        session, season.YEAR, name=NAME, kind=RoundKind.SUPPLEMENTARY, opens_at=OPENS, closes_at=CLOSES,
        confirm_by=CONFIRM_BY, max_wishes=MAX_WISHES, levels=(Level.LOWER,), by=by, now=OPENS - dt.timedelta(days=1),
    )  # fmt: skip
    opened = round_opening.open_round(session, planned.id, by=by, now=OPENS - dt.timedelta(days=1))
    after = round_notices.tell_round_open(session, opened.id, now=OPENS)
    while after is not None:
        after = round_notices.tell_round_open(session, opened.id, now=OPENS, after=after)
    return opened


def with_free_places(session: Session, offers: Sequence[DemoProgramme]) -> list[DemoProgramme]:
    """Those of the programmes that have free places, with as many."""
    free = select(Programme.id, Programme.places - Programme.taken).where(Programme.taken < Programme.places)
    places: dict[uuid.UUID, int] = dict(session.execute(free).all())
    return [replace(each, places=places[each.programme_id]) for each in offers if each.programme_id in places]


def ask_again(
    session: Session, round_: Round, offers: Sequence[DemoProgramme], leave: frozenset[uuid.UUID]
) -> dict[str, int]:
    """The families to whom no place was ever offered ask for those near their home, but the accounts in `leave`; how many,
    by area."""
    near: dict[str, list[DemoProgramme]] = defaultdict(list)
    for each in sorted(offers, key=lambda offer: (-offer.places, offer.kindergarten)):
        near[each.area].append(each)
    asked: dict[str, int] = defaultdict(int)
    offered = exists().where(Offer.application_id == Application.id)
    waiting = (
        select(Application.id, guardians_account().label("account"), Household.home_area)
        .join(Household, Household.application_id == Application.id)
        .where(Application.year == round_.year, Application.level == Level.LOWER, Application.stage == Stage.CONFIRMED)
        .where(Application.on_hold.is_(False), Application.unit.is_(None), Application.elder_id.is_(None), ~offered)
        .where(guardians_account().not_in(leave))
    )
    for id_, account_id, area in session.execute(waiting.order_by(Application.registration_code)).all():
        if area is None or len(near[area]) == 0:
            continue
        first = asked[area] % len(near[area])  # not all of them at the same one
        chosen = [each.programme_id for each in (*near[area][first:], *near[area][:first])][:MAX_WISHES]
        family = actor_of(session.get_one(Account, account_id))
        try:
            with session.begin_nested():
                wishes.set_wishes(session, id_, round_.id, chosen, version=None, by=family, now=REGISTERED)
                submission.submit(session, id_, agrees_to_central=True, by=family, now=REGISTERED)
        except Refused:
            continue
        asked[area] += 1
    return asked


def who_come_late(
    offers: Iterable[DemoProgramme], asked: Mapping[str, int], in_time: Mapping[str, int]
) -> dict[str, int]:
    """How many children come late, by area: as many as there are free places that nobody has asked for.

    `asked` and `in_time` are how many ask again, and how many applied in the main round.
    """
    free: dict[str, int] = defaultdict(int)
    for each in offers:
        free[each.area] += each.places
    return {
        area: max(min(places - asked.get(area, 0), round(MOST_LATE * in_time[area])), 0)
        for area, places in sorted(free.items())
    }
