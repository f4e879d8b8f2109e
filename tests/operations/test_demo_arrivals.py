"""OFF12: the last step of the demo city: a replay and the supplementary round hand on what families give up; children arrive."""

import datetime as dt

import pytest
from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application, Stage, Wish
from enrollment.coverage.indicator import Definition
from enrollment.coverage.shares import city_shares
from enrollment.draw.run_rows import Run
from enrollment.ground.db import open_engine
from enrollment.maintenance import invariants
from enrollment.offers.arrivals import children, days
from enrollment.offers.offer_rows import EXPECTED, OfferState
from enrollment.offers.offers import Offer, OfferMove
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollChild, RollClass
from enrollment.season.rounds import Round, RoundProgramme
from portal.demo import arrivals, people, season
from portal.demo.city_builder import CityBuilder
from portal.web.clock import now as city_now
from tests.support import leaks

CHILDREN = 3000
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def city(addresses, worker_number):
    name = f"demo_arrivals_{worker_number}"
    engine = open_engine(addresses.create(name))
    CityBuilder(engine, CHILDREN, 2026, lambda step, done, of: None).build("arrival")
    with Session(engine) as session:
        yield session
    engine.dispose()
    addresses.drop(name)


def test_s3_no_table_of_a_whole_season_tells_who_somebody_is(city):
    persons = leaks.persons_of(city)
    assert min(len(persons.names), len(persons.phones), len(persons.numbers)) > 1000
    found = {(place, each) for place, content in leaks.tables(city.connection()) for each in persons.in_bytes(content)}
    assert found == set()


def number_of(city, *states) -> int:
    return city.scalar(select(func.count(Offer.id)).where(Offer.state.in_(states)))


def test_off12_nearly_all_children_arrive_and_few_do_not_come(city):
    arrived, gone, expected = (
        number_of(city, *states) for states in ((OfferState.ARRIVED,), (OfferState.NO_SHOW,), EXPECTED)
    )
    assert arrived >= 0.85 * CHILDREN and 0 < gone <= 0.04 * arrived and 0 < expected <= 0.08 * arrived
    on_new_roll = select(func.count(RollChild.id)).join(RollClass).where(RollClass.school_year == season.YEAR)
    assert city.scalar(on_new_roll) == arrived
    names = set(city.scalars(select(RollClass.name).where(RollClass.school_year == season.YEAR)))
    assert "小一班" in names and len(names) > 1, "children are spread over the classes of their level"


def test_off12_children_arrive_on_the_days_of_arrival_and_the_missing_are_noted_at_the_end(city):
    begins, ends = season.DATES["arrival"]
    moves = city.execute(
        select(OfferMove.move, OfferMove.at).where(OfferMove.move.in_(("mark_arrived", "mark_no_show")))
    )
    when: dict[str, list[dt.datetime]] = {"mark_arrived": [], "mark_no_show": []}
    for move, at in moves:
        when[move].append(at)
    assert all(begins <= at < begins + dt.timedelta(days=4) for at in when["mark_arrived"])
    assert len({at.date() for at in when["mark_arrived"]}) > 1
    assert set(when["mark_no_show"]) == {ends - dt.timedelta(hours=1)}


def test_off12_the_places_that_families_gave_up_were_handed_on_by_a_replay(city):
    main, supplementary = city.scalars(select(Round).order_by(Round.number)).all()
    first, again = city.scalars(select(Run).where(Run.round_id == main.id).order_by(Run.number)).all()
    assert again.replays == first.id and again.state == "published"
    assert number_of(city, OfferState.DECLINED) and number_of(city, OfferState.EXPIRED)
    assert city.scalar(select(func.count(Offer.id)).where(Offer.run_id == again.id)) > 0
    assert (supplementary.kind, supplementary.stage) == ("supplementary", "published")


def test_off12_about_two_percent_of_the_places_are_left_over_at_the_end(city):
    """Families who come late, and those without a place, ask for what is free in the supplementary round."""
    of_rounds = Programme.id.in_(select(RoundProgramme.programme_id))
    free = func.sum(func.greatest(Programme.places - Programme.taken, 0))
    left, places = city.execute(select(free, func.sum(Programme.places)).where(of_rounds)).one()
    assert 0.01 <= left / places <= 0.03
    offered = exists().where(Offer.application_id == Application.id)
    unplaced = select(func.count(Application.id)).where(Application.stage == Stage.CONFIRMED, ~offered)
    assert city.scalar(unplaced) <= 0.02 * CHILDREN
    again = select(Wish.application_id).group_by(Wish.application_id).having(func.count(Wish.round_id.distinct()) == 2)
    assert city.scalars(again).all(), "a family without a place asks again"


def test_off12_the_desk_of_the_sign_in_page_has_arrivals_to_note(city):
    now = city_now(city, demo=True)
    assert now.date() == season.DATES["arrival"][1].date()
    assert days.year_of_arrivals(city, now=now) == season.YEAR
    counts = children.counts(city, season.YEAR, by=people.actor(city, "clerk1"))
    assert counts.expected > 0 and counts.arrived > counts.expected


def test_off12_coverage_counts_who_came_once(city):
    """On the day of the demo, and without the children that did not come."""
    today = city_now(city, demo=True).date()
    arrived = select(func.count(Offer.id)).join(Programme).join(Kindergarten).where(Offer.state == OfferState.ARRIVED)
    share = city_shares(city, Definition(today), year=season.YEAR).city.now
    of_the_year_before = text(
        "SELECT coalesce(sum(CASE WHEN c.kept_as = 'count' THEN c.counted ELSE (SELECT count(*) FROM roll_child r WHERE"
        " r.class_id = c.id AND (r.left_on IS NULL OR r.left_on > :day)) END), 0) FROM roll_class c"
        " JOIN kindergarten k ON k.id = c.kindergarten_id WHERE c.school_year = :year AND c.level NOT IN ('nursery', 'upper')"
        " AND (k.closed_on IS NULL OR k.closed_on > :day)"
        " AND EXISTS (SELECT 1 FROM roll_class n WHERE n.kindergarten_id = k.id AND n.school_year = :year + 1)"
    )
    assert share.all >= city.scalar(arrived) + city.scalar(of_the_year_before, {"day": today, "year": season.YEAR - 1})


def test_no_row_contradicts_another_after_the_arrivals(city):
    assert [str(each) for each in invariants.find_violations(city)] == []


def test_nobody_arrives_before_the_days_of_arrival(city):
    before = season.DATES["arrival"][0] - dt.timedelta(minutes=1)
    assert arrivals.finish_arrivals(city.get_bind(), season.YEAR, before, lambda done, of: None) == 0
