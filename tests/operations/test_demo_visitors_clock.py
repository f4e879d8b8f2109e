"""OFF12: a visitor of the demo who moves the clock gets the same supplementary round as a city that is built to its end."""

import datetime as dt
import functools

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Wish
from enrollment.applications.returned_items import ReturnedItem
from enrollment.ground.db import open_engine
from enrollment.ground.jobs import Job
from enrollment.offers.offers import Offer
from enrollment.season.rounds import Round
from portal.app import create_app
from portal.config import Config
from portal.demo import city_builder, season, time_travel
from portal.demo.city_builder import CityBuilder
from portal.jobs import runner
from portal.web.clock import now as city_now
from tests.support.keys import KEYS

CHILDREN = 120
SENT_BACK = 2 * city_builder.WAITING_FOR_A_RETURN
"""So many children that two applications are sent back."""
pytestmark = pytest.mark.long


@pytest.fixture
def database(addresses, worker_number):
    name = f"demo_visitor_{worker_number}"
    engine = open_engine(addresses.create(name))
    yield engine
    engine.dispose()
    addresses.drop(name)


@pytest.fixture
def city(database):
    """The hour after its results."""
    CityBuilder(database, CHILDREN, 7, lambda step, done, of: None).build("results")
    return database


def test_a_visitor_who_only_moves_the_clock_meets_every_step(database, addresses, worker_number):
    """Some applications are sent back, and nobody answers: the list is frozen and drawn all the same."""
    runner.load_handlers()
    CityBuilder(database, SENT_BACK, 7, lambda step, done, of: None).build("registration")
    address = database.url.render_as_string(hide_password=False)
    queue = addresses.queue(1 + worker_number % 15)
    config = Config(database_url=address, redis_url=queue, secret_key="of this test alone", keys=KEYS, demo=True)
    results = {}
    with create_app(config).app_context():
        for step in ("review", "draw", "result", "confirmation", "supplementary", "arrival"):
            with Session(database) as session, session.begin():
                time_travel.advance_to(session, step, now=city_now(session, demo=True))
                waiting = select(Job.id).where(Job.kind == time_travel.KIND, Job.state == "waiting")
                job_id = session.scalars(waiting).one()
            assert runner.run(database, functools.partial(city_now, demo=True), job_id, "visitor") == "done"
            with Session(database) as session:
                results[step] = session.get_one(Job, job_id).result
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(ReturnedItem).where(ReturnedItem.answered_at.is_(None)))
        stages = session.scalars(select(Round.stage).where(Round.year == season.YEAR).order_by(Round.number)).all()
    assert results["result"]["drawn"] and results["confirmation"]["answered"] and results["arrival"]["arrivals"]
    assert results["supplementary"]["supplementary"] and results["arrival"]["supplementary_drawn"]
    assert stages == ["published", "published"]


def test_the_clock_of_a_visitor_opens_the_supplementary_round_and_draws_it(city):
    """As in a city that is built to its end: the families answer, ask again or come late, and two officials draw, once."""
    hour = season.DATES["result"][0]
    city_builder.finish_answers(city, hour + dt.timedelta(hours=5), lambda done, of: None)
    opened = [
        CityBuilder.of_the_city(city, lambda step, done, of: None).open_supplementary_for_visitor() for _ in range(2)
    ]
    assert opened == [True, False]
    with Session(city) as session:
        asking = select(func.count(Wish.application_id.distinct())).join(Round, Round.id == Wish.round_id)
        assert session.scalar(asking.where(Round.number == 2)) > 0
    drawn = [
        CityBuilder.of_the_city(city, lambda step, done, of: None).finish_supplementary_for_visitor() for _ in range(2)
    ]
    assert drawn == [True, False]
    with Session(city) as session:
        second = session.scalars(select(Round).where(Round.year == season.YEAR, Round.number == 2)).one()
        assert second.stage == "published"
        placed = select(func.count()).select_from(Offer).where(Offer.round_id == second.id)
        assert session.scalar(placed.where(Offer.state == "confirmed")) > 0
