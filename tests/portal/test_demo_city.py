"""The demo city: the same seed gives the same city, and its families' rows are those that the verbs would have written."""

import datetime as dt

import numpy as np
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.draw import offers as draw_offers
from enrollment.families import answers, claims, households
from enrollment.families.applications import Application, ApplicationVersion, Wish
from enrollment.families.claims import VerifiedFact
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.db import open_engine
from enrollment.ground.errors import Refused
from enrollment.places.kindergartens import Kindergarten
from enrollment.season import rounds
from enrollment.season.calendar import Season
from portal.clock import now as city_now
from portal.demo import acts, passing, season, story
from portal.demo import households as drawn
from portal.demo.households import Offer
from portal.demo.story import City, NotEmpty

CHILDREN = 120
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo city")]


@pytest.fixture(scope="module")
def engine_of_the_city(addresses, worker_number):
    """One city for this file, in the week of its registration; the tests take it further in their order."""
    name = f"demo_city_{worker_number}"
    engine = open_engine(addresses.create(name))
    build(engine, "registration")
    yield engine
    engine.dispose()
    addresses.drop(name)


def build(engine, through, seed=7):
    City(engine, CHILDREN, seed, lambda step, done, of: None).build(through)


def test_a_city_in_its_registration(engine_of_the_city):
    with Session(engine_of_the_city) as session:
        assert session.scalar(select(func.count(Application.id)).where(Application.stage == "submitted")) == CHILDREN
        assert session.get(Season, 2026).simulated
        assert len(set(session.scalars(select(Kindergarten.area_code)))) == 23
        assert city_now(session, demo=True).date() == season.BEGINS.date()
        assert session.scalar(select(func.max(Wish.rank))) == 5


def test_it_is_only_built_on_empty_ground(engine_of_the_city):
    with pytest.raises(NotEmpty):
        build(engine_of_the_city, "places")


def test_bulk_rows_are_what_the_verbs_would_have_written(engine_of_the_city):
    with Session(engine_of_the_city) as session:
        for application in session.scalars(select(Application)).all():
            handed_in = session.get(ApplicationVersion, (application.id, 1))
            assert answers.digest_of(answers.gather(session, application)) == handed_in.digest
            before = claims.of(session, application.id)
            claims.follow_household(session, application, households.of(session, application.id), now=season.BEGINS)
            assert claims.of(session, application.id) == before
        session.rollback()


def test_the_same_seed_gives_the_same_families():
    places = [Offer(n, n, f"k{n}", "510104", "public", (104.08 + n / 100, 30.65), 0.0) for n in range(7)]

    def families():
        return drawn.draw(np.random.default_rng(11), "510104", 60, places, drawn.Numbers(), 19_000_000_000)

    assert families() == families()
    assert sum(len(family.children) for family in families()) == 60


def test_the_clock_goes_forward_and_never_back(engine_of_the_city):
    with Session(engine_of_the_city) as session:
        now = city_now(session, demo=True)
        [following] = [stop for stop in passing.steps(session, now) if stop.next]
        assert following.step == "review"
        passing.pass_until(session, "review", now=now)
        with pytest.raises(Refused):
            passing.pass_until(session, "registration", now=city_now(session, demo=True))
        assert city_now(session, demo=True) >= season.DATES["review"][0]
        session.rollback()


def test_simulated_clerks_review_whatever_waits(engine_of_the_city):
    now = season.DATES["review"][0] + dt.timedelta(hours=1)
    with Session(engine_of_the_city) as session, session.begin():
        for found in rounds.of_year(session, season.YEAR):
            rounds.close_if_due(session, found.id, by=SYSTEM, now=now)
    told = []
    assert story.finish_reviews(engine_of_the_city, now, lambda done, of: told.append((done, of))) == CHILDREN
    assert told[-1] == (CHILDREN, CHILDREN)
    with Session(engine_of_the_city) as session:
        assert set(session.scalars(select(Application.stage))) == {"confirmed"}
        declined = select(func.count()).where(VerifiedFact.outcome == "declined")
        assert 0 < session.scalar(declined) < CHILDREN


class AlwaysTheSame:
    """A die that shows one side."""

    def __init__(self, luck: float):
        self.luck = luck

    def random(self) -> float:
        return self.luck


@pytest.mark.parametrize("luck,state", [(0.0, "declined"), (0.5, "confirmed"), (0.999, "offered")])
def test_bound_children_are_answered_for_once(town, luck, state):
    apple = town.kindergarten("金苹果", places=2)
    twins = town.twins("李沐晨", "李沐阳", wishes=[apple])
    town.drawn()
    done, _last = acts.answer_offers(town.session, AlwaysTheSame(luck), now=town.now, after=None, leave=frozenset())
    assert done == 2
    found = select(draw_offers.Offer.state).where(draw_offers.Offer.application_id.in_([twin.id for twin in twins]))
    assert list(town.session.scalars(found)) == [state, state]
