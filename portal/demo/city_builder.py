"""Builds the demo city up to a step of its season."""

import datetime as dt
import functools

import numpy as np
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from enrollment.chances import estimates
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM
from enrollment.offers import answer_deadlines
from enrollment.places import areas
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import rounds
from enrollment.season.rounds import Round
from portal.demo import (
    arrivals,
    kindergarten_rows,
    people,
    quality,
    season,
    special_families,
    time_travel,
)
from portal.demo.actors import bulk_acts, simulated_draw
from portal.demo.past import rows as past_rows
from portal.demo.planning import measures as planned_measures
from portal.demo.rounds.later_rounds import LaterRounds
from portal.demo.rounds.registration import Registration, Report

STEPS = ("places", "registration", "review", "draw", "results", "arrival")
FIRST_PHONE = 19_000_000_000
PAST_SEED = 14
"""The past of the areas is the same for every seed of the city; it does not take from the city's own luck."""


class DatabaseNotEmpty(RuntimeError):
    """The database already has kindergartens; the demo city needs an empty one."""


class CityBuilder:
    """Builds one city.  Each step is one transaction, so that an interruption leaves complete steps."""

    def __init__(self, engine: Engine, children: int, seed: int, report: Report):
        self.engine, self.children, self.report = engine, children, report
        self.random = np.random.default_rng(seed)
        self.families = Registration(engine, children, self.random, report)

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
            self.families.city = kindergarten_rows.build(
                session, self.random, season.YEAR, self.children, now, lambda done, of: self.report("places", done, of)
            )
            past_rows.write(session, np.random.default_rng(PAST_SEED), season.YEAR, now.date())
            planned_measures.write(session, np.random.default_rng(PAST_SEED), season.YEAR, now.date())
            staff = people.add_people(session, now=now)
            quality.write(session, staff["city1"], season.YEAR, now=now)
            season.open_season(session, staff["city1"], staff["city2"], now=now)
            season.announce(session, staff["city1"], staff["city2"], now=now)
            # in the same transaction as the round: the worker closes rounds by the time of the demo
            time_travel.set_clock(session, season.SEASON_OPENS_AT)
            season.open_round(session, staff["city1"], now=now + dt.timedelta(hours=1))

    def _registration(self) -> None:
        now = season.SEASON_OPENS_AT
        with self._session() as session, session.begin():
            open_rounds = rounds.rounds_of_year(session, season.YEAR)
            self._families(session, open_rounds[0], now)
            city = self.families.city
            around = city.layout.neighbourhoods[people.AREA]
            special_families.enter_all(session, self.random, city.numbers, around, open_rounds, now)
            audit.record(session, "load_demo_city", "season", season.YEAR, by=SYSTEM, now=now, children=self.children)
        self._count_rows()
        self.families.ask_registers(now)
        self._count_rows()
        with self._session() as session, session.begin():
            estimates.request(session, why=f"demo:{now.isoformat()}", now=now)

    def _families(self, session: Session, round_: Round, now: dt.datetime) -> None:
        families = self.families
        families.register(
            session, round_, families.offers(session, round_.id), families.in_time(session), FIRST_PHONE, now
        )

    def _review(self) -> None:
        """Close registration and let the simulated clerks review all applications."""
        now = season.DATES["review"][0] + dt.timedelta(hours=1)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, now)
            for found in rounds.rounds_of_year(session, season.YEAR):
                rounds.close_if_due(session, found.id, by=SYSTEM, now=now)
        bulk_acts.finish_reviews(self.engine, now, lambda done, of: self.report("review", done, of))
        self._count_rows()

    def _draw(self) -> None:
        """Freeze the list, set the seed and execute the run."""
        now = season.DATES["draw"][0] + dt.timedelta(hours=1)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, now)
        simulated_draw.draw(self.engine, now, lambda done, of: self.report("draw", done, of))
        self._count_rows()

    def _results(self) -> None:
        """Two officials sign on the day of the draw; the result is opened at the announced hour."""
        hour = season.DATES["result"][0]
        self.report("results", 0, 1)
        simulated_draw.publish_the_checked_run(self.engine, season.DATES["draw"][0] + dt.timedelta(hours=2), hour)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, hour + dt.timedelta(hours=1))
        self._count_rows()
        self.report("results", 1, 1)

    def _arrival(self) -> None:
        """Families answer, a replay and the supplementary round hand on the places that are free, and the children arrive."""
        now = season.DATES["result"][0] + dt.timedelta(hours=5)
        report = functools.partial(self.report, "answers")
        bulk_acts.finish_answers(self.engine, now, report, leave_demo_family=False)
        due = season.DATES["confirmation"][1]
        for moment in (due, due + answer_deadlines.GRACE):  # who was not reminded yet has one more day
            with self._session() as session, session.begin():
                answer_deadlines.expire_due(session, now=moment)
        later = LaterRounds(self.families)
        later.replay(due + answer_deadlines.GRACE + dt.timedelta(hours=1))
        later.supplementary()
        self._count_rows()
        now = season.DATES["arrival"][1] - dt.timedelta(hours=1)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, now)
            leave = bulk_acts.families_that_answer(session)
        report = functools.partial(self.report, "arrival")
        arrivals.finish_arrivals(self.engine, season.YEAR, now, report, leave=leave)
