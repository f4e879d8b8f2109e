"""Builds the demo city up to a step of its season."""

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sqlalchemy import Engine, exists, func, or_, select, text
from sqlalchemy.orm import Session

from enrollment.applications import register_answers
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from enrollment.chances import estimates
from enrollment.draw import execution, replay
from enrollment.draw.publication import hours
from enrollment.draw.run_rows import Run
from enrollment.draw.seed import declared_forms
from enrollment.ground import audit
from enrollment.ground.accounts import SYSTEM, Account
from enrollment.ground.classifications import Level
from enrollment.ground.errors import Refused
from enrollment.offers import answer_deadlines
from enrollment.offers.offer_rows import OfferState
from enrollment.offers.offers import Offer
from enrollment.people.consents import Consent
from enrollment.places import areas
from enrollment.places.areas import Area
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.season import rounds
from enrollment.season.round_rows import RoundStage
from enrollment.season.rounds import Round, RoundKind, RoundProgramme
from portal.demo import (
    arrivals,
    family_rows,
    geography,
    households,
    kindergarten_rows,
    kindergartens,
    neighbourhoods,
    people,
    quality,
    register_records,
    review_rows,
    season,
    special_families,
    time_travel,
    trial_draws,
)
from portal.demo.actors import simulated_draw, simulated_people
from portal.demo.demand import Demand
from portal.demo.identity_numbers import Numbers
from portal.demo.offers import supplementary_round
from portal.demo.past import rows as past_rows
from portal.demo.planning import measures as planned_measures
from portal.demo.programmes import DemoProgramme as Choice
from portal.demo.roll_children import ChildOnRoll
from portal.demo.trial_draws import WishList

STEPS = ("places", "registration", "review", "draw", "results", "arrival")
LATER_SEED, FIRST_OF_LATE_FAMILIES = 53, 400
"""For a city that another builder made: its random numbers, and the identity numbers of a day that it has not used."""

Report = Callable[[str, int, int], None]
"""Called with the name of the step, the units done and the number of units."""

FIRST_PHONE = 19_000_000_000
ASKED_AT_ONCE = 2
"""Batches of questions to the registers at once: PostgreSQL stores one batch while Python compares another."""

WAITING_FOR_A_RETURN, MOST_RETURNED = 250, 80
"""How many waiting applications there are for each one that is sent back, and how many are at most."""

CONSENT = ("demo", "0" * 64)

PAST_SEED = 14
"""The past of the areas is the same for every seed of the city; it does not take from the city's own luck."""


class DatabaseNotEmpty(RuntimeError):
    """The database already has kindergartens; the demo city needs an empty one."""


class CityBuilder:
    """Builds one city.  Each step is one transaction, so that an interruption leaves complete steps."""

    def __init__(self, engine: Engine, children: int, seed: int, report: Report):
        self.engine, self.children, self.report = engine, children, report
        self.random = np.random.default_rng(seed)
        self.city: kindergarten_rows.City

    @classmethod
    def of_the_city(cls, engine: Engine, report: Report) -> "CityBuilder":
        """A builder that goes on with the city of the database, for a visitor who moves the clock."""
        with Session(engine) as session:
            everybody = session.scalar(select(func.count()).where(Application.year == season.YEAR)) or 0
            found = cls(engine, everybody, LATER_SEED, report)
            layout = kindergartens.Layout(found.random)
            layout.neighbourhoods = neighbourhoods.of_the_city(session)
        found.city = kindergarten_rows.City(layout, Numbers(first=FIRST_OF_LATE_FAMILIES), {})
        return found

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
            self.city = kindergarten_rows.build(
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
            self._families(session, now)
            around = self.city.layout.neighbourhoods[people.AREA]
            open_rounds = rounds.rounds_of_year(session, season.YEAR)
            special_families.enter_all(session, self.random, self.city.numbers, around, open_rounds, now)
            audit.record(session, "load_demo_city", "season", season.YEAR, by=SYSTEM, now=now, children=self.children)
        self._count_rows()
        self._registers(now)
        self._count_rows()
        with self._session() as session, session.begin():
            estimates.request(session, why=f"demo:{now.isoformat()}", now=now)

    def _families(self, session: Session, now: dt.datetime) -> None:
        found = session.scalars(select(Round).where(Round.year == season.YEAR)).one()
        self._register(session, found, self._offers(session, found.id), self._in_time(session), FIRST_PHONE, now)

    def _in_time(self, session: Session) -> dict[str, int]:
        """How many children apply in the main round, by area."""
        return kindergartens.children_by_area(
            session.scalars(select(Area).order_by(Area.position)).all(), self.children
        )

    def _register(
        self,
        session: Session,
        round_: Round,
        offers: list[Choice],
        number_of: Mapping[str, int],
        phone: int,
        now: dt.datetime,
    ) -> None:
        """Families of so many children by area wish for these programmes; their telephone numbers begin at `phone`."""
        batch = family_rows.Batch(self.random, round_.id, round_.number, season.YEAR, offers, now, CONSENT)
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

    def _offers(self, session: Session, round_id: uuid.UUID) -> list[Choice]:
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

    def _registers(self, now: dt.datetime) -> None:
        now += dt.timedelta(minutes=1)
        with self._session() as session:
            waiting = register_answers.to_ask(session, now=now)
        size = simulated_people.BATCH
        with register_records.stand_in(self.engine) as registers, ThreadPoolExecutor(ASKED_AT_ONCE) as pool:

            def ask(start: int) -> int:
                with self._session() as session, session.begin():
                    batch = waiting[start : start + size]
                    simulated_people.ask_registers(session, registers, batch, now)
                return start + len(batch)

            for done in pool.map(ask, range(0, len(waiting), size)):
                self.report("registers", done, len(waiting))

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
        finish_answers(self.engine, now, lambda done, of: self.report("answers", done, of), leave_demo_family=False)
        due = season.DATES["confirmation"][1]
        for moment in (due, due + answer_deadlines.GRACE):  # who was not reminded yet has one more day
            with self._session() as session, session.begin():
                answer_deadlines.expire_due(session, now=moment)
        self._replay(due + answer_deadlines.GRACE + dt.timedelta(hours=1))
        self._supplementary()
        self._count_rows()
        now = season.DATES["arrival"][1] - dt.timedelta(hours=1)
        with self._session() as session, session.begin():
            time_travel.set_clock(session, now)
            leave = families_that_answer(session)
        report = functools.partial(self.report, "arrival")
        arrivals.finish_arrivals(self.engine, season.YEAR, now, report, leave=leave)

    def _replay(self, now: dt.datetime, *, leave_demo_family: bool = False) -> None:
        """The first replay, signed by two like a run, and the answers to its new offers; in a small city nobody may wait."""
        try:
            with self._session() as session, session.begin():
                round_ = session.scalars(select(Round).where(Round.year == season.YEAR)).one()
                run = replay.start(session, round_.id, by=people.actor(session, "city1"), now=now)
        except Refused as refused:
            if refused.code != "nothing_to_hand_on":
                raise
            return
        with self._session() as session, session.begin():
            execution.execute(session, run.id, now=now)
        hour = hours.next_morning(now)
        simulated_draw.publish(self.engine, run.id, now, hour)
        report = functools.partial(self.report, "replay")
        finish_answers(self.engine, hour + dt.timedelta(hours=5), report, leave_demo_family=leave_demo_family)

    def _supplementary(self) -> None:
        """Who has no place asks for one that is free, and families who come late; then as in the main round."""
        if self._open_supplementary(frozenset()):
            self._finish_supplementary(leave_demo_family=False)

    def open_supplementary_for_visitor(self, late: dt.datetime | None = None) -> bool:
        """After the main round's answers: the first replay, and the supplementary round with its families.  Whether it was opened.

        A visitor who has planned a supplementary round keeps it, and the visitors' own families decide for themselves.
        `late` is when, if something kept it from happening after the days of the answers.
        """
        with self._session() as session, session.begin():
            found = rounds.rounds_of_year(session, season.YEAR)
            if len(found) != 1 or found[0].stage != RoundStage.PUBLISHED:
                return False
            replayed = session.scalar(select(Run.id).where(Run.replays.is_not(None)).limit(1)) is not None
            leave = families_that_answer(session)
        due = late or season.DATES["confirmation"][1]
        for moment in (due, due + answer_deadlines.GRACE):
            with self._session() as session, session.begin():
                answer_deadlines.expire_due(session, now=moment)
        if not replayed:
            self._replay(due + answer_deadlines.GRACE + dt.timedelta(hours=1), leave_demo_family=True)
        return self._open_supplementary(leave)

    def finish_supplementary_for_visitor(self, late: dt.datetime | None = None) -> bool:
        """Review, draw and answers of the round that was opened by itself, if nobody has begun its draw.  Whether it was drawn.

        `late` is when, if something kept it from happening in its days.
        """
        with self._session() as session:
            round_ = supplementary_round.of_the_demo(session)
            if round_ is None or round_.stage not in (RoundStage.OPEN, RoundStage.CLOSED):
                return False
            if declared_forms.newest(session, round_.id) is not None:
                return False
        self._finish_supplementary(leave_demo_family=True, late=late)
        return True

    def _open_supplementary(self, leave: frozenset[uuid.UUID]) -> bool:
        """Open the round; the families ask, but those of the accounts in `leave`.  Whether anybody asks."""
        with self._session() as session, session.begin():
            round_ = supplementary_round.open_round(session, people.actor(session, "city1"))
            offers = supplementary_round.with_free_places(session, self._offers(session, round_.id))
            asked = supplementary_round.ask_again(session, round_, offers, leave)
            coming = supplementary_round.who_come_late(offers, asked, self._in_time(session))
            late = {area: number for area, number in coming.items() if area in self.city.layout.neighbourhoods}
            if not sum(late.values()) + sum(asked.values()):
                return False
            self._register(
                session, round_, offers, late, supplementary_round.FIRST_PHONE, supplementary_round.REGISTERED
            )
        self._registers(supplementary_round.REGISTERED)
        return True

    def _finish_supplementary(self, *, leave_demo_family: bool, late: dt.datetime | None = None) -> None:
        reviewed_at, drawn_at = late or supplementary_round.REVIEWED, late or supplementary_round.DRAWN
        with self._session() as session, session.begin():
            round_ = supplementary_round.of_the_demo(session)
            if round_ is None:
                return
            rounds.close_if_due(session, round_.id, by=SYSTEM, now=reviewed_at)
        finish_reviews(self.engine, reviewed_at, functools.partial(self.report, "review"))
        run_id = simulated_draw.draw(self.engine, drawn_at, functools.partial(self.report, "draw"), round_.id)
        report = functools.partial(self.report, "answers")
        if late is not None:
            answered_at = time_travel.follow(self.engine, simulated_draw.publish_late(self.engine, run_id, late))
            finish_answers(self.engine, answered_at, report, leave_demo_family=leave_demo_family)
            return
        signed_at, hour = supplementary_round.DRAWN + dt.timedelta(hours=1), supplementary_round.OPENED
        simulated_draw.publish(self.engine, run_id, signed_at, hour)
        finish_answers(self.engine, hour + dt.timedelta(hours=5), report, leave_demo_family=leave_demo_family)
        due = supplementary_round.CONFIRM_BY
        for moment in (due, due + answer_deadlines.GRACE):
            with self._session() as session, session.begin():
                answer_deadlines.expire_due(session, now=moment)


def finish_reviews(engine: Engine, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
    """Let the simulated clerks review all waiting and abandoned applications, in batches."""
    with Session(engine) as session, session.begin():
        simulated_people.release_idle_reviews(session, by=people.actor(session, people.REVIEWER), now=now)
        clerk = people.reviewing_clerk(session)
        everything = session.scalar(select(func.count()).where(Application.stage == Stage.SUBMITTED)) or 0
        simulated_people.send_some_back(
            session, min(everything // WAITING_FOR_A_RETURN, MOST_RETURNED), by=clerk, now=now
        )
    done = 0
    while True:
        with Session(engine) as session, session.begin():
            number = review_rows.review_batch(session, by=clerk, now=now)
        if not number:
            return done
        done += number
        progress(done, everything)


def families_that_answer(session: Session) -> frozenset[uuid.UUID]:
    """The accounts of the sign-in page, and of visitors: who read the real text of the consent."""
    of_sign_in_page = Account.phone_index.in_(people.phone_indices())
    of_visitor = exists().where(Consent.account_id == Account.id, Consent.text_digest != CONSENT[1])
    return frozenset(
        session.scalars(select(Account.id).where(Account.login.is_(None), or_(of_sign_in_page, of_visitor)))
    )


def finish_answers(
    engine: Engine, now: dt.datetime, progress: Callable[[int, int], None], *, leave_demo_family: bool = True
) -> int:
    """Let the simulated families answer their offers, except the families of the sign-in page and of visitors."""
    random = np.random.default_rng(51)
    with Session(engine) as session:
        leave = families_that_answer(session) if leave_demo_family else frozenset()
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
