"""The demo city: the same seed gives the same city, and its bulk rows equal those that the services would write."""

import datetime as dt
import json
import re
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from enrollment.applications import contents, register_answers
from enrollment.applications.applications import Application, ApplicationVersion, Wish
from enrollment.eligibility import claims, households
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground.accounts import SYSTEM
from enrollment.ground.db import open_engine
from enrollment.ground.errors import Refused
from enrollment.offers import offers as draw_offers
from enrollment.places import ledger, programmes, roll
from enrollment.places.areas import Area, rows_of_file
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.pinyin import sort_key
from enrollment.places.service_areas import ServiceArea
from enrollment.review import bulk_confirmation, review
from enrollment.season import rounds
from enrollment.season.calendar import Season
from portal.demo import (
    city_builder,
    geography,
    kindergarten_rows,
    kindergartens,
    names,
    people,
    review_rows,
    season,
    simulated_people,
    time_travel,
)
from portal.demo import households as drawn
from portal.demo.city_builder import CityBuilder, DatabaseNotEmpty
from portal.demo.demand import Demand
from portal.demo.programmes import DemoProgramme
from portal.web.clock import now as city_now

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
    CityBuilder(engine, CHILDREN, seed, lambda step, done, of: None).build(through)


def test_a_city_in_its_registration(engine_of_the_city):
    with Session(engine_of_the_city) as session:
        assert session.scalar(select(func.count(Application.id)).where(Application.stage == "submitted")) == CHILDREN
        assert session.get(Season, 2026).simulated
        assert len(set(session.scalars(select(Kindergarten.area_code)))) == 23
        assert city_now(session, demo=True).date() == season.SEASON_OPENS_AT.date()
        assert session.scalar(select(func.max(Wish.rank))) == 5


def test_it_is_built_in_an_empty_database_only(engine_of_the_city):
    with pytest.raises(DatabaseNotEmpty):
        build(engine_of_the_city, "places")


def test_bulk_rows_are_what_the_verbs_would_have_written(engine_of_the_city):
    with Session(engine_of_the_city) as session:
        for application in session.scalars(select(Application)).all():
            handed_in = session.get(ApplicationVersion, (application.id, 1))
            assert contents.digest_of(contents.gather(session, application)) == handed_in.digest
            before = claims.of(session, application.id)
            claims.follow_household(
                session, application, households.household_of(session, application.id), now=season.SEASON_OPENS_AT
            )
            assert claims.of(session, application.id) == before
        session.rollback()


def test_the_same_seed_gives_the_same_families():
    places = [
        DemoProgramme(n, n, f"k{n}", f"{n} 园", "510104", "public", (104.08 + n / 100, 30.65), 25) for n in range(7)
    ]

    def families():
        random = np.random.default_rng(11)
        demand = Demand(random, places)
        return list(drawn.draw(random, "510104", 60, places, demand, drawn.Numbers(), 19_000_000_000))

    assert families() == families()
    assert sum(len(family.children) for family in families()) == 60


def first_wishes_a_place(children: int, seed: int) -> dict[str, tuple[str, float]]:
    """By the name of the kindergarten: its nature, and how many first wishes come to each of its places."""
    random = np.random.default_rng(seed)
    areas = [SimpleNamespace(**row) for row in rows_of_file()]
    built = [each for each in kindergartens.layout(random, areas, children) if each.plan.nature != "private"]
    offers = [
        DemoProgramme(n, n, str(n), b.plan.name, b.plan.area, b.plan.nature, b.point, b.places)
        for n, b in enumerate(built)
    ]
    demand, weight = Demand(random, offers), sum(area.weight for area in areas)
    for area in areas:
        homes = geography.points_in(random, area.code, round(children * area.weight / weight))
        assert all(0 < len(wishes) <= 5 for wishes in demand.wishes(homes))
    ratios = demand.firsts / demand.places
    return {offer.name: (offer.nature, ratio) for offer, ratio in zip(offers, ratios.tolist(), strict=True)}


@pytest.mark.parametrize("children,seed", [(3000, 2026), (3000, 5), (9000, 2026)])
def test_hot_kindergartens_draw_two_to_six_first_wishes_a_place_and_at_most_twelve(children, seed):
    drawn_to = first_wishes_a_place(children, seed)
    public = np.array([ratio for nature, ratio in drawn_to.values() if nature == "public"])
    everywhere = np.array([ratio for _nature, ratio in drawn_to.values()])
    assert everywhere.max() <= 12
    assert 2 <= np.quantile(public, 0.9) <= 6, "the hot ones"
    assert public.max() >= 2 and np.median(public) < 2, "and not all are"
    assert np.quantile(everywhere, 0.25) < 0.8, "others have places left"
    for name in (people.HOME, people.ELSEWHERE):
        assert 0.5 <= drawn_to[name][1] <= 8, "the two of the sign-in page are wanted, and not by the whole city"


def by_the_verbs(session, built, now) -> None:
    """One kindergarten as officials and staff would have entered it."""
    plan, number = built.plan, built.number
    place = Kindergarten(
        code=f"51{900000000 + number}", name=plan.name, sort_key=sort_key(plan.name), nature=plan.nature, area_code=plan.area,
        run_by=kindergarten_rows.RUN_BY[number % 3] if plan.nature == "public" else "民办", street=plan.street,
        address=f"{plan.street}{names.COMMUNITIES[number % 12]}路 {number % 180 + 1} 号（模拟数据）",
        longitude=Decimal(str(built.point[0])), latitude=Decimal(str(built.point[1])),
        phone=f"028-8{number % 10_000_000:07d}", fee=built.fee, licensed_classes=plan.lower_classes + plan.older_classes,
    )  # fmt: skip
    session.add(place)
    session.flush()
    session.add_all(ServiceArea(kindergarten_id=place.id, kind="community", name=each) for each in built.communities)
    programme = programmes.ensure(session, place.id, "lower", season.YEAR)
    classes, why = plan.lower_classes, kindergarten_rows.REASON
    numbers = {"planned_classes": classes, "staffed_classes": classes, "withheld": built.withheld}
    ledger.propose(session, programme.id, by=SYSTEM, now=now, reason=why, **numbers)
    ledger.approve_kindergarten(session, place.id, season.YEAR, by=SYSTEM, now=now)
    for name, level, count in built.classes:
        of_class = {"name": name, "level": level, "school_year": season.YEAR - 1, "children": count}
        roll.count_class(session, place.id, by=SYSTEM, now=now, **of_class)


IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def rows_since(session, before: dict[str, set[str]], tables) -> dict[str, list[str]]:
    """The new rows of each table as JSON, without what chance and the order of writing gave them."""
    written = {}
    for table in tables:
        rows = session.scalars(text(f"SELECT to_jsonb(t) - 'number' - 'id' FROM {table} AS t")).all()
        fresh = [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows]
        written[table] = sorted(IDS.sub("an id", row) for row in fresh if row not in before.get(table, set()))
    return written


def rows_now(session, tables) -> dict[str, set[str]]:
    every = "SELECT to_jsonb(t) - 'number' - 'id' FROM {} AS t"
    return {
        table: {json.dumps(r, sort_keys=True, ensure_ascii=False) for r in session.scalars(text(every.format(table)))}
        for table in tables
    }


def test_bulk_kindergartens_are_what_the_verbs_would_have_written(session):
    areas, random = session.scalars(select(Area).order_by(Area.position)).all(), np.random.default_rng(3)
    some = list(kindergartens.layout(random, areas, 3000))[:40:3]
    tables = tuple(kindergarten_rows.COLUMNS)
    nothing = rows_now(session, tables)
    with session.begin_nested() as attempt:
        for built in some:
            by_the_verbs(session, built, season.SEASON_OPENS_AT)
        verbs = rows_since(session, nothing, tables)
        attempt.rollback()
    batch = kindergarten_rows.Batch(random, season.YEAR, season.SEASON_OPENS_AT)
    for built in some:
        batch.add(built)
    batch.write(session)
    assert rows_since(session, nothing, tables) == verbs
    assert len(verbs["kindergarten"]) == 14 and len(verbs["audit_entry"]) > 28


def test_the_clock_goes_forward_and_never_back(engine_of_the_city):
    with Session(engine_of_the_city) as session:
        now = city_now(session, demo=True)
        [following] = [stop for stop in time_travel.steps(session, now) if stop.next]
        assert following.step == "review"
        time_travel.advance_to(session, "review", now=now)
        with pytest.raises(Refused):
            time_travel.advance_to(session, "registration", now=city_now(session, demo=True))
        assert city_now(session, demo=True) >= season.DATES["review"][0]
        session.rollback()


def as_a_clerk_would(session, application, by, now) -> None:
    """What the registers agree with in bulk, the rest by the papers."""
    kindergarten, one = application.review_kindergarten_id, [application.id]
    if bulk_confirmation.confirm_matched(session, kindergarten, by=by, now=now, application_ids=one):
        return
    said = register_answers.answers_of(session, application.id)
    found = []
    for fact, value in claimed_facts(session, application.id).items():
        answer = said[fact].answer if fact in said else None
        if answer == "differs":
            found.append(review.Finding(fact, reason=review_rows.CONTRADICTED, source="register"))
        else:
            found.append(review.Finding(fact, value=value, source="register" if answer == "matches" else "paper"))
    review.take(session, application.id, by=by, now=now)
    review.confirm(session, application.id, by=by, now=now, facts=found)


def test_bulk_reviews_are_what_the_verbs_would_have_written(engine_of_the_city, monkeypatch):
    monkeypatch.setattr(review_rows, "AT_ONCE", 25)
    now = season.DATES["review"][0] + dt.timedelta(hours=1)
    tables = ("application", "verified_fact", "move_made", "audit_entry", "notice")
    with Session(engine_of_the_city) as session:
        by = people.reviewing_clerk(session)
        for found in rounds.rounds_of_year(session, season.YEAR):
            rounds.close_if_due(session, found.id, by=SYSTEM, now=now)
        session.flush()
        before = rows_now(session, tables)
        waiting = select(Application).where(Application.stage == "submitted")
        with session.begin_nested() as attempt:
            first = waiting.order_by(Application.submitted_at, Application.id).limit(25)
            for application in session.scalars(first).all():
                as_a_clerk_would(session, application, by, now)
            verbs = rows_since(session, before, tables)
            attempt.rollback()
        session.expire_all()
        assert review_rows.review_batch(session, by=by, now=now) == 25
        assert rows_since(session, before, tables) == verbs
        outcomes = {json.loads(row)["outcome"] for row in verbs["verified_fact"]}
        assert outcomes == {"verified", "declined"}
        assert len(verbs["notice"]) == 25
        assert all(json.loads(row)["params"]["who"] == "kindergarten" for row in verbs["notice"])
        session.rollback()


def test_simulated_clerks_review_whatever_waits(engine_of_the_city):
    now = season.DATES["review"][0] + dt.timedelta(hours=1)
    with Session(engine_of_the_city) as session, session.begin():
        for found in rounds.rounds_of_year(session, season.YEAR):
            rounds.close_if_due(session, found.id, by=SYSTEM, now=now)
    told = []
    assert city_builder.finish_reviews(engine_of_the_city, now, lambda done, of: told.append((done, of))) == CHILDREN
    assert told[-1] == (CHILDREN, CHILDREN)
    with Session(engine_of_the_city) as session:
        assert set(session.scalars(select(Application.stage))) == {"confirmed"}
        declined = select(func.count()).where(VerifiedFact.outcome == "declined")
        assert 0 < session.scalar(declined) < CHILDREN


class AlwaysTheSame:
    """A random generator that always returns the same value."""

    def __init__(self, luck: float):
        self.luck = luck

    def random(self) -> float:
        return self.luck


@pytest.mark.parametrize("luck,state", [(0.0, "declined"), (0.5, "confirmed"), (0.999, "offered")])
def test_bound_children_are_answered_for_once(town, luck, state):
    apple = town.kindergarten("金苹果", places=2)
    twins = town.twins("李沐晨", "李沐阳", wishes=[apple])
    town.drawn()
    done, _last = simulated_people.answer_offers(
        town.session, AlwaysTheSame(luck), now=town.now, after=None, leave=frozenset()
    )
    assert done == 2
    found = select(draw_offers.Offer.state).where(draw_offers.Offer.application_id.in_([twin.id for twin in twins]))
    assert list(town.session.scalars(found)) == [state, state]
