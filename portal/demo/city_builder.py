"""Builds the demo city up to a step of its season."""

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterator

import numpy as np
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.chances import estimates
from enrollment.draw import draws, execution, runs, snapshot
from enrollment.draw.run_rows import RunState
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM, Account
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.places import areas
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season import rounds
from enrollment.season.rounds import Round, RoundProgramme
from portal.demo import (
    family_rows,
    households,
    kindergarten_rows,
    people,
    review_rows,
    season,
    simulated_people,
    time_travel,
)
from portal.demo.demand import Demand
from portal.demo.programmes import DemoProgramme as Choice

STEPS = ("places", "registration", "review", "draw", "results", "arrival")
Report = Callable[[str, int, int], None]
"""Called with the name of the step, the units done and the number of units."""

FIRST_PHONE = 19_000_000_000
CONSENT = ("demo", "0" * 64)


class DatabaseNotEmpty(RuntimeError):
    """The database already has kindergartens; the demo city needs an empty one."""


class CityBuilder:
    """Builds one city.  Each step is one transaction, so that an interruption leaves complete steps."""

    def __init__(self, engine: Engine, children: int, seed: int, report: Report):
        self.engine, self.children, self.report = engine, children, report
        self.random = np.random.default_rng(seed)

    def build(self, through: str) -> None:
        """Every step up to and including `through`.  Raises DatabaseNotEmpty."""
        with Session(self.engine) as session:
            if session.scalar(select(Kindergarten.id).limit(1)) is not None:
                raise DatabaseNotEmpty
        for step in STEPS[: STEPS.index(through) + 1]:
            getattr(self, f"_{step}")()

    def _count_rows(self) -> None:
        """Update the statistics: without them the planner assumes a few rows."""
        with self._session() as session, session.begin():
            session.execute(text("ANALYZE"))

    def _session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)

    def _places(self) -> None:
        now = season.moment(5, 9)
        with self._session() as session, session.begin():
            areas.load(session)
            kindergarten_rows.build(
                session, self.random, season.YEAR, self.children, now, lambda done, of: self.report("places", done, of)
            )
            staff = people.add_people(session, now=now)
            season.open_season(session, staff["city1"], staff["city2"], now=now)
            # in the same transaction as the round: the worker closes rounds by the time of the demo
            time_travel.set_clock(session, season.SEASON_OPENS_AT)
            season.open_round(session, staff["city1"], now=now + dt.timedelta(hours=1))

    def _registration(self) -> None:
        now = season.SEASON_OPENS_AT
        with self._session() as session, session.begin():
            self._families(session, now)
            audit.record(session, "load_demo_city", "season", season.YEAR, by=SYSTEM, now=now, children=self.children)
        self._count_rows()
        self._registers(now)
        self._count_rows()
        with self._session() as session, session.begin():
            estimates.request(session, why=f"demo:{now.isoformat()}", now=now)

    def _families(self, session: Session, now: dt.datetime) -> None:
        found = session.scalars(select(Round).where(Round.year == season.YEAR)).one()
        offers = self._offers(session, found.id)
        demand = Demand(self.random, offers)
        batch = family_rows.Batch(self.random, found.id, found.number, season.YEAR, offers, now, CONSENT)
        numbers, all_areas = households.Numbers(), session.scalars(select(Area).order_by(Area.position)).all()
        weight, done, phone = sum(area.weight for area in all_areas), 0, FIRST_PHONE
        for position, area in enumerate(all_areas):
            share = round(self.children * area.weight / weight)
            number = share if position < len(all_areas) - 1 else self.children - done
            families = households.draw(self.random, area.code, number, offers, demand, numbers, phone)
            if area.code == people.AREA:
                families = _with_the_demo_family(families, offers)
            before = done
            written, children = family_rows.write_all(
                session,
                batch,
                families,
                functools.partial(self._report_registered, before),
            )
            phone += written
            done += children

    def _report_registered(self, before: int, more: int) -> None:
        self.report("registration", before + more, self.children)

    def _offers(self, session: Session, round_id: uuid.UUID) -> list[Choice]:
        rows = session.execute(
            select(Programme.id, Programme.places, Kindergarten)
            .join(Kindergarten, Kindergarten.id == Programme.kindergarten_id)
            .join(RoundProgramme, RoundProgramme.programme_id == Programme.id)
            .where(RoundProgramme.round_id == round_id)
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
            )
            for row in rows
            for place in (row.Kindergarten,)
        ]

    def _registers(self, now: dt.datetime) -> None:
        now += dt.timedelta(minutes=1)
        with self._session() as session:
            waiting = register_answers.to_ask(session, now=now)
        for start in range(0, len(waiting), simulated_people.BATCH):
            with self._session() as session, session.begin():
                simulated_people.ask_registers(
                    session, self.random, waiting[start : start + simulated_people.BATCH], now
                )
            self.report("registers", min(start + simulated_people.BATCH, len(waiting)), len(waiting))

    def _review(self) -> None:
        """Close registration and let the simulated clerks review all applications."""
        now = season.DATES["review"][0] + dt.timedelta(hours=1)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, now)
            for found in rounds.rounds_of_year(session, season.YEAR):
                rounds.close_if_due(session, found.id, by=SYSTEM, now=now)
        finish_reviews(self.engine, now, lambda done, of: self.report("review", done, of))
        self._count_rows()

    def _draw(self) -> None:
        """Freeze the list, set the seed and execute the run."""
        now = season.DATES["draw"][0] + dt.timedelta(hours=1)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, now)
            first = people.actor(session, "city1")
            found = session.scalars(select(Round).where(Round.year == season.YEAR)).one()
            snapshot.freeze(session, found.id, by=first, now=now)
            draws.set_seed(
                session,
                season.YEAR,
                beacon="模拟数据",
                ceremony="3-1-6-2-5-4",
                by=first,
                now=now + dt.timedelta(minutes=5),
            )
            run = runs.start(session, found.id, by=first, now=now + dt.timedelta(minutes=6))
        self.report("draw", 0, 1)
        with self._session() as session, session.begin():
            execution.execute(session, run.id, now=now + dt.timedelta(minutes=7))
        self.report("draw", 1, 1)

    def _results(self) -> None:
        now = season.DATES["result"][0] + dt.timedelta(hours=1)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, now)
            run = session.scalars(select(runs.Run).where(runs.Run.state == RunState.CHECKED)).one()
            for login in ("city1", "city2"):
                runs.sign(session, run.id, by=people.actor(session, login), now=now)
        self.report("results", 1, 1)

    def _arrival(self) -> None:
        now = season.DATES["result"][0] + dt.timedelta(hours=5)
        finish_answers(self.engine, now, lambda done, of: self.report("arrival", done, of), leave_demo_family=False)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, season.DATES["arrival"][0] + dt.timedelta(hours=1))


def finish_reviews(engine: Engine, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Let the simulated clerks review all waiting and abandoned applications, in batches."""
    with Session(engine) as session, session.begin():
        simulated_people.release_idle_reviews(session, by=people.actor(session, people.REVIEWER), now=now)
        clerk = people.reviewing_clerk(session)
        everything = session.scalar(select(func.count()).where(Application.stage == Stage.SUBMITTED)) or 0
    done = 0
    while True:
        with Session(engine) as session, session.begin():
            number = review_rows.review_batch(session, by=clerk, now=now)
        if not number:
            return done
        done += number
        progress(done, everything)


def finish_answers(
    engine: Engine, now: dt.datetime, progress: Callable[[int, int], None], *, leave_demo_family: bool = True
) -> int:
    """Let the simulated families answer their offers, except the families of the sign-in page."""
    random = np.random.default_rng(51)
    with Session(engine) as session:
        mine = session.scalars(
            select(Account.id).where(Account.login.is_(None), Account.phone_index.in_(people.phone_indices()))
        )
        leave = frozenset(mine) if leave_demo_family else frozenset()
        everything = session.scalar(select(func.count()).where(Offer.state == OfferState.OFFERED)) or 0
    done, last = 0, None
    while True:
        with Session(engine) as session, session.begin():
            number, last = simulated_people.answer_offers(session, random, now=now, after=last, leave=leave)
        if not number:
            return done
        done += number
        progress(done, everything)


def _with_the_demo_family(
    families: Iterator[households.Household], offers: list[Choice]
) -> Iterator[households.Household]:
    """The first of them is the family of the sign-in page: it wishes for the three kindergartens that the pages are drawn
    with."""
    codes = {offer.kindergarten: index for index, offer in enumerate(offers)}
    first = next(families)
    first.guardian, first.surname, first.phone, first.relation = "王芳", "李", people.FAMILIES[1].login, "mother"
    del first.children[1:]
    first.bound = False
    first.children[0].name = "李沐晨"
    first.wishes = [codes[f"51{900000000 + number}"] for number in (0, 1, 2)]
    first.claims = {"elder_sibling": {"sibling_at": f"51{900000000}"}}
    yield first
    yield from families
