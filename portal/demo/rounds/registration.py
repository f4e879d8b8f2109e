"""Families of the demo city apply in a round, and the registers are asked about them."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from enrollment.applications import register_answers
from enrollment.applications.applications import Application
from enrollment.ground.classifications import Level
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season.rounds import Round, RoundKind, RoundProgramme
from portal.demo import (
    family_rows,
    geography,
    households,
    kindergarten_rows,
    kindergartens,
    neighbourhoods,
    people,
    register_records,
    season,
    trial_draws,
)
from portal.demo.actors import simulated_people
from portal.demo.demand import Demand
from portal.demo.identity_numbers import Numbers
from portal.demo.programmes import DemoProgramme as Choice
from portal.demo.roll_children import ChildOnRoll
from portal.demo.trial_draws import WishList

LATER_SEED, FIRST_OF_LATE_FAMILIES = 53, 400
"""For a city that another builder made: its random numbers, and the identity numbers of a day that it has not used."""

Report = Callable[[str, int, int], None]
"""Called with the name of the step, the units done and the number of units."""

ASKED_AT_ONCE = 2
"""Batches of questions to the registers at once: PostgreSQL stores one batch while Python compares another."""


class Registration:
    """The families of one city; `city` is its kindergartens, once they are built."""

    def __init__(self, engine: Engine, children: int, random: np.random.Generator, report: Report):
        self.engine, self.children, self.random, self.report = engine, children, random, report
        self.city: kindergarten_rows.City

    @classmethod
    def of_the_city(cls, engine: Engine, report: Report) -> "Registration":
        """That of the city of the database, which goes on for a visitor who moves the clock."""
        with Session(engine) as session:
            everybody = session.scalar(select(func.count()).where(Application.year == season.YEAR)) or 0
            found = cls(engine, everybody, np.random.default_rng(LATER_SEED), report)
            layout = kindergartens.Layout(found.random)
            layout.neighbourhoods = neighbourhoods.of_the_city(session)
        found.city = kindergarten_rows.City(layout, Numbers(first=FIRST_OF_LATE_FAMILIES), {})
        return found

    def in_time(self, session: Session) -> dict[str, int]:
        """How many children apply in the main round, by area."""
        return kindergartens.children_by_area(
            session.scalars(select(Area).order_by(Area.position)).all(), self.children
        )

    def register(
        self,
        session: Session,
        round_: Round,
        offers: list[Choice],
        number_of: Mapping[str, int],
        phone: int,
        now: dt.datetime,
    ) -> None:
        """Families of so many children by area wish for these programmes; their telephone numbers begin at `phone`."""
        batch = family_rows.Batch(self.random, round_.id, round_.number, season.YEAR, offers, now, people.CONSENT)
        homes, lists = self._wishes(offers, number_of, round_.max_wishes)
        done, everybody = 0, sum(number_of.values())
        for area, wishes in lists.items():
            around = self.city.layout.neighbourhoods[area]
            families = households.draw(
                self.random, around, homes[area], wishes, offers, self.city.numbers, self.city.on_roll, phone
            )
            if area == people.AREA and round_.kind == RoundKind.MAIN:
                families = _with_the_demo_family(families, offers, self.city.on_roll)
            before = done
            written, children = family_rows.write_all(
                session,
                batch,
                families,
                lambda more, before=before: self.report("registration", before + more, everybody),  # type: ignore[misc]
            )
            phone += written
            done += children

    def _wishes(
        self, offers: list[Choice], number_of: Mapping[str, int], most: int
    ) -> tuple[dict[str, np.ndarray], dict[str, list[WishList]]]:
        """Homes and lists of wishes by area."""
        demand = Demand(self.random, offers, {code: len(children) for code, children in self.city.on_roll.items()})
        homes = {area: geography.points_in(self.random, area, number) for area, number in number_of.items()}
        lists = {area: list(demand.wishes(area, points)) for area, points in homes.items()}
        everybody = [each for of_area in lists.values() for each in of_area]
        for each in everybody:
            del each.chosen[most:]
        trial_draws.settle(self.random, everybody, offers, most)
        return homes, lists

    def offers(self, session: Session, round_id: uuid.UUID) -> list[Choice]:
        rows = session.execute(
            select(Programme.id, Programme.places, Kindergarten)
            .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
            .join(RoundProgramme, RoundProgramme.programme_id == Programme.id)
            .where(RoundProgramme.round_id == round_id, Programme.level == Level.LOWER)
            .order_by(Kindergarten.code)
        ).all()
        return [
            Choice(
                row.id,
                place.id,
                place.code,
                place.name,
                place.area_code,
                place.nature,
                (float(place.longitude), float(place.latitude)),
                row.places,
                place.fee or 0,
                place.attached,
            )
            for row in rows
            for place in (row.Kindergarten,)
        ]

    def ask_registers(self, now: dt.datetime) -> None:
        now += dt.timedelta(minutes=1)
        with Session(self.engine, expire_on_commit=False) as session:
            waiting = register_answers.to_ask(session, now=now)
        size = simulated_people.BATCH
        with register_records.stand_in(self.engine) as registers, ThreadPoolExecutor(ASKED_AT_ONCE) as pool:

            def ask(start: int) -> int:
                with Session(self.engine, expire_on_commit=False) as session, session.begin():
                    batch = waiting[start : start + size]
                    simulated_people.ask_registers(session, registers, batch, now)
                return start + len(batch)

            for done in pool.map(ask, range(0, len(waiting), size)):
                self.report("registers", done, len(waiting))


def _with_the_demo_family(
    families: Iterator[households.Household], offers: list[Choice], on_roll: Mapping[str, list[ChildOnRoll]]
) -> Iterator[households.Household]:
    """The first of them is the family of the sign-in page: it wishes for the three kindergartens that the pages are drawn
    with."""
    named = {offer.name: index for index, offer in enumerate(offers)}
    first = next(families)
    first.guardian, first.surname, first.phone, first.relation = "王芳", "李", people.FAMILIES[1].login, "mother"
    del first.children[1:]
    first.bound = False
    first.children[0].name = "李沐晨"
    first.wishes = [named[name] for name, _nature, _run_by in kindergartens.NAMED]
    first.claims = {"elder_sibling": {"sibling_at": offers[first.wishes[0]].kindergarten}}
    on_that_roll = on_roll[offers[first.wishes[0]].kindergarten]
    first.elder = next((each for each in on_that_roll if each.surname == first.surname), on_that_roll[-1])
    on_that_roll.remove(first.elder)
    yield first
    yield from families
