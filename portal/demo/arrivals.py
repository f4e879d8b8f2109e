"""Arrival in the demo city: most children come, a few did not come at all, and a few have given no sign yet."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from sqlalchemy import Engine, Select, func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application, guardians_account
from enrollment.ground.accounts import Actor, Role
from enrollment.offers.arrivals import absences, arrival, classes, days
from enrollment.offers.arrivals.rows import ContactOutcome
from enrollment.offers.offer_rows import EXPECTED
from enrollment.offers.offers import Offer
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.promotion import LETTER
from portal.demo import people
from portal.demo.offers import arrival_rows
from portal.demo.offers.arrival_rows import Arrival

NO_SHOW, LATE, LATE_AT_HOME = 0.01, 0.01, 0.25
"""Rates of children that do not come, and that are still expected at the end: in the city, and at the kindergartens of the
sign-in page, whose staff have their own arrivals to note."""

DAYS = (0.7, 0.9, 0.97)
"""Which share has come by the end of the first, second and third day; the others come on the fourth."""

WITHOUT_VACCINATION = 0.03


def finish_arrivals(
    engine: Engine,
    year: int,
    now: dt.datetime,
    progress: Callable[[int, int], None],
    *,
    leave: frozenset[uuid.UUID] = frozenset(),
) -> int:
    """Let the children arrive whom kindergartens expect, a transaction for each kindergarten.  Returns how many there were.

    Children of the accounts in `leave` stay expected.  Before the days of arrival nobody comes.
    """
    with Session(engine) as session:
        begins = days.begins_at(session, year)
        if begins is None or now < begins:
            return 0
        clerk = people.actor(session, people.REVIEWER)
        numbers = select(Kindergarten.id, func.count()).select_from(Offer).group_by(Kindergarten.id, Kindergarten.code)
        expected = session.execute(_expected(numbers, year, leave).order_by(Kindergarten.code)).all()
    random, everything, done = np.random.default_rng(52), sum(number for _, number in expected), 0
    for kindergarten_id, number in expected:
        here = replace(clerk, roles=frozenset({Role.HEAD}), kindergartens=frozenset({kindergarten_id}))
        with Session(engine) as session, session.begin():
            _Desk(session, random, here, begins, now).decide_all(year, kindergarten_id, leave)
        done += number
        progress(done, everything)
    return done


def _expected(query: Select, year: int, leave: frozenset[uuid.UUID]) -> Select:
    return (
        query.join(Application, Application.id == Offer.application_id)
        .join(Programme, Programme.id == Offer.programme_id)
        .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
        .where(Programme.year == year, Offer.state.in_(EXPECTED), Application.on_hold.is_(False))
        .where(guardians_account().not_in(leave))
    )


class _Desk:
    """The desk of one kindergarten: who came on which day, and into which class."""

    def __init__(
        self, session: Session, random: np.random.Generator, clerk: Actor, begins: dt.datetime, now: dt.datetime
    ):
        self.session, self.random, self.clerk, self.begins, self.now = session, random, clerk, begins, now
        self.in_classes: dict[uuid.UUID, dict[str, int]] = {}

    def decide_all(self, year: int, kindergarten_id: uuid.UUID, leave: frozenset[uuid.UUID]) -> None:
        """Note each expected child as arrived or not come, or leave it.

        Most arrivals are bulk rows (`arrival_rows`); the staff note the others by the service functions.
        """
        simply = arrival_rows.comes_simply().label("simply")
        here = _expected(select(Offer, Programme, Kindergarten.name, simply).select_from(Offer), year, leave)
        here = here.where(Kindergarten.id == kindergarten_id).order_by(Application.registration_code)
        in_bulk = []
        for offer, programme, name, simple in self.session.execute(here).all():
            luck, day, card = self.random.random(3)
            late = LATE_AT_HOME if name in (people.HOME, people.ELSEWHERE) else LATE
            if luck < NO_SHOW:
                self._release(offer.id)
            elif luck < 1 - late:
                comes = Arrival(
                    offer.id, offer.application_id, offer.child_id, programme, self._class_of(programme),
                    bool(card > WITHOUT_VACCINATION), self._moment(day),
                )  # fmt: skip
                if simple:
                    in_bulk.append(comes)
                else:
                    self._note(comes)
        arrival_rows.write(self.session, kindergarten_id, in_bulk, by=self.clerk)

    def _note(self, comes: Arrival) -> None:
        arrival.arrive(
            self.session, comes.offer_id, class_name=comes.class_name, health=True, pickup=True,
            vaccination=comes.vaccination, by=self.clerk, now=comes.at,
        )  # fmt: skip

    def _release(self, offer_id: uuid.UUID) -> None:
        """The family says on the telephone that its child will not come."""
        absences.record_contact(self.session, offer_id, "call", ContactOutcome.NOT_COMING, by=self.clerk, now=self.now)
        absences.release(self.session, [offer_id], by=self.clerk, now=self.now)

    def _moment(self, luck: float) -> dt.datetime:
        """The morning of one of the first days, not later than now."""
        day = int(np.searchsorted(DAYS, luck))
        return min(self.begins + dt.timedelta(days=day, minutes=int(luck * 180)), self.now)

    def _class_of(self, programme: Programme) -> str:
        """The least full class of the level."""
        if programme.id not in self.in_classes:
            listed = classes.choices(self.session, programme, by=self.clerk, now=self.now)
            names = {each.name: each.children for each in listed}
            self.in_classes[programme.id] = names or {f"{LETTER[programme.level]}新班": 0}
        here = self.in_classes[programme.id]
        chosen = min(here, key=lambda name: here[name])
        here[chosen] += 1
        return chosen
