"""OFF12: a visitor of the demo who moves the clock gets the same supplementary round as a city that is built to its end."""

import datetime as dt

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Wish
from enrollment.ground.db import open_engine
from enrollment.offers.offers import Offer
from enrollment.season.rounds import Round
from portal.demo import city_builder, season
from portal.demo.city_builder import CityBuilder

CHILDREN = 120
pytestmark = pytest.mark.long


@pytest.fixture
def city(addresses, worker_number):
    """The hour after its results."""
    name = f"demo_visitor_{worker_number}"
    engine = open_engine(addresses.create(name))
    CityBuilder(engine, CHILDREN, 7, lambda step, done, of: None).build("results")
    yield engine
    engine.dispose()
    addresses.drop(name)


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
