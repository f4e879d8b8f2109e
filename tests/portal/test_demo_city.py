"""The demo city: its bulk rows equal those that the services would write, and its clock goes through the season."""

import datetime as dt
import itertools
import json
import re
import uuid
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import false, func, select, update
from sqlalchemy.orm import Session

from enrollment.applications import contents, lifecycle, register_answers
from enrollment.applications.application_rows import RegisterState
from enrollment.applications.applications import Application, ApplicationVersion, Wish
from enrollment.applications.notifications import notify_guardians
from enrollment.draw import execution
from enrollment.draw.run_rows import Run, RunState
from enrollment.eligibility import claims, households
from enrollment.eligibility.claims import VerifiedFact
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground import city_time
from enrollment.ground.accounts import SYSTEM, Role
from enrollment.ground.db import open_engine
from enrollment.ground.errors import Refused
from enrollment.offers import offers as draw_offers
from enrollment.places import ledger, pools, programmes, roll
from enrollment.places.areas import Area
from enrollment.places.class_plan import NUMBERS
from enrollment.places.kindergartens import Kindergarten
from enrollment.places.pinyin import sort_key
from enrollment.places.programmes import Programme
from enrollment.places.roll import RollClass
from enrollment.places.roll_changes import counts
from enrollment.places.service_areas import ServiceArea
from enrollment.review import review
from enrollment.review.queue import bulk_confirmation
from enrollment.season import rounds
from enrollment.season.calendar import Season
from portal.demo import (
    arrivals,
    kindergarten_rows,
    kindergartens,
    people,
    review_rows,
    roll_children,
    season,
    time_travel,
)
from portal.demo.actors import bulk_acts, simulated_draw, simulated_people
from portal.demo.actors.due_steps import SimulatedStep, due_step
from portal.demo.city_builder import CityBuilder, DatabaseNotEmpty
from portal.demo.earlier_years.classes import earlier_classes
from portal.demo.identity_numbers import Numbers
from portal.web.clock import now as city_now
from tests.support.compared_rows import rows_now, rows_since, without_seals

CHILDREN = 120

SPECIAL = 12
"""Applications of `special_families` that are handed in."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
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
        assert (
            session.scalar(select(func.count(Application.id)).where(Application.stage == "submitted"))
            == CHILDREN + SPECIAL
        )
        assert session.get(Season, 2026).simulated
        assert len(set(session.scalars(select(Kindergarten.area_code)))) == 23
        assert city_now(session, demo=True).date() == season.SEASON_OPENS_AT.date()
        assert session.scalar(select(func.max(Wish.rank))) == 5


def test_it_is_built_in_an_empty_database_only(engine_of_the_city):
    with pytest.raises(DatabaseNotEmpty):
        build(engine_of_the_city, "places")


def test_bulk_rows_are_what_the_verbs_would_have_written(engine_of_the_city):
    with Session(engine_of_the_city) as session:
        by_services = season.SEASON_OPENS_AT - dt.timedelta(hours=1)
        in_bulk = session.scalars(select(Application).where(Application.submitted_at != by_services)).all()
        assert len(in_bulk) == CHILDREN
        for application in in_bulk:
            handed_in = session.get(ApplicationVersion, (application.id, 1))
            assert contents.digest_of(contents.gather(session, application)) == handed_in.digest
            before = claims.of(session, application.id)
            claims.follow_household(
                session, application, households.household_of(session, application.id), now=season.SEASON_OPENS_AT
            )
            assert claims.of(session, application.id) == before
        session.rollback()


def by_the_verbs(session, built, batch, ids) -> None:
    """One kindergarten as officials and staff would have entered it."""
    now = batch.now
    place = Kindergarten(
        code=built.code, name=built.name, sort_key=sort_key(built.name), nature=built.nature, area_code=built.area,
        run_by=built.run_by, street=built.street, address=kindergarten_rows.address_of(built), attached=built.attached,
        longitude=Decimal(str(built.point[0])), latitude=Decimal(str(built.point[1])),
        phone=kindergarten_rows.phone_of(built), fee=built.fee, licensed_classes=built.licensed_classes,
        parent_id=ids.get(built.parent), closed_on=built.closed_on,
    )  # fmt: skip
    session.add(place)
    session.flush()
    ids[built.number] = place.id
    session.add_all(ServiceArea(kindergarten_id=place.id, kind=kind, name=name) for kind, name in built.served)
    for level, plan in built.plans.items():
        programme = programmes.ensure(session, place.id, level, season.YEAR)
        numbers, why = {name: getattr(plan, name) for name in NUMBERS}, kindergarten_rows.REASON
        ledger.propose(session, programme.id, by=SYSTEM, now=now, reason=why, **numbers)
    ledger.approve_kindergarten(session, place.id, season.YEAR, by=SYSTEM, now=now)
    if built.pools:
        programme, why = programmes.ensure(session, place.id, "lower", season.YEAR), kindergarten_rows.POOL_REASON
        pools.set_pools(session, programme.id, built.pools, by=SYSTEM, now=now, reason=why)
    for each in built.classes:
        of_class = {"level": each.level, "school_year": season.YEAR - 1, "by": SYSTEM, "now": now - built.counted_on}
        if not each.rows:
            at = of_class["now"]
            kept = roll.ensure_class(
                session, place.id, each.name, each.level, season.YEAR - 1, "count", by=SYSTEM, now=at
            )
            told = {"children": each.children, "day": city_time.today(at), "reason": "模拟数据"}
            counts.enter(session, kept.id, **told, by=SYSTEM, now=at)
            continue
        for child in roll_children.draw(batch.random, built.area, each, season.YEAR - 1, batch.numbers):
            roll.enter_child(
                session, place.id, name=child.name, class_name=each.name, id_number=child.id_number, id_kind="resident",
                born=child.born, entered_on=child.entered_on, **of_class,
            )  # fmt: skip

    for past in earlier_classes(built.number, built.nature, built.classes, season.YEAR - 1):
        session.add(
            RollClass(
                id=past.id,
                kindergarten_id=place.id,
                school_year=past.school_year,
                level=past.level,
                name=past.name,
                kept_as="count",
                counted=past.children,
                as_of=past.as_of,
            )
        )
    session.flush()


class NoIds(kindergarten_rows.Batch):
    """Takes ids from elsewhere, so that the children on roll are drawn as `by_the_verbs` draws them."""

    def _id(self):
        return uuid.uuid4()


def test_bulk_kindergartens_are_what_the_verbs_would_have_written(session):
    areas = session.scalars(select(Area).order_by(Area.position)).all()
    everything = list(kindergartens.layout(np.random.default_rng(3), areas, 3000))
    some = everything[:40:5]
    for is_one in (
        lambda each: each.parent is not None,
        lambda each: each.attached,
        lambda each: each.closed_on,
        lambda each: each.opening,
        lambda each: each.continuing,
        lambda each: len(each.plans) > 1,
    ):
        one = next(filter(is_one, everything))
        some += [everything[one.parent]] if one.parent is not None else []
        some.append(one)
    some = sorted({each.number: each for each in some}.values(), key=lambda each: each.number)
    tables = (*kindergarten_rows.COLUMNS, "pool")
    nothing = rows_now(session, tables)

    def batch():
        return NoIds(np.random.default_rng(4), season.YEAR, season.SEASON_OPENS_AT, Numbers())

    with session.begin_nested() as attempt:
        from_services, ids = batch(), {}
        for built in some:
            by_the_verbs(session, built, from_services, ids)
        session.flush()
        verbs = rows_since(session, nothing, tables)
        attempt.rollback()
    in_bulk = batch()
    for built in some:
        in_bulk.add(built)
    in_bulk.write(session)
    in_bulk.reserve_places(session)
    assert without_seals(rows_since(session, nothing, tables)) == without_seals(verbs)
    assert len(verbs["kindergarten"]) == len(some) and len(verbs["audit_entry"]) > 2 * len(some)
    assert all(verbs[table] for table in tables if table != "named_place"), (
        "points of streets belong to no kindergarten"
    )


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
    if application.register_state == RegisterState.AGREES:
        bulk_confirmation.note_matches(session, [application.id], by=by, now=now)
        lifecycle.make_many(
            session, [application.id], "take", by=by, now=now, reviewer_id=by.account_id, taken_at=now, opened_at=now
        )
        lifecycle.make_many(session, [application.id], "confirm", by=by, now=now)
        notify_guardians(session, "review_confirmed", [application.id], now=now, by=by)
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
        bulk = rows_since(session, before, tables)
        assert bulk == verbs
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
    assert (
        bulk_acts.finish_reviews(engine_of_the_city, now, lambda done, of: told.append((done, of)))
        == CHILDREN + SPECIAL
    )
    assert told[-1] == (CHILDREN + SPECIAL, CHILDREN + SPECIAL)
    with Session(engine_of_the_city) as session:
        assert set(session.scalars(select(Application.stage))) == {"confirmed", "draft", "withdrawn"}
        declined = select(func.count()).where(VerifiedFact.outcome == "declined")
        assert 0 < session.scalar(declined) < CHILDREN


class Cycle:
    """A random generator that returns these values again and again."""

    def __init__(self, *lucks: float):
        self.lucks = itertools.cycle(lucks)

    def random(self) -> float:
        return next(self.lucks)


def test_who_goes_on_to_the_results_without_drawing_finds_them_drawn(engine_of_the_city, monkeypatch):
    """Two simulated officials draw, once, also where they were killed between their transactions; a draw that a visitor has begun
    would stay the visitor's."""

    def killed(*_args, **_values):
        raise KeyboardInterrupt

    due = season.DATES["result"][0]
    for step in ((execution, "execute"), (simulated_draw, "publish")):
        with monkeypatch.context() as patch:
            patch.setattr(*step, killed)
            with pytest.raises(KeyboardInterrupt):
                simulated_draw.draw_if_nobody_has(engine_of_the_city, lambda done, of: None)
        with Session(engine_of_the_city) as session:
            step_due = due_step(session, now=due)
            assert (step_due.step, step_due.obstacle) == (SimulatedStep.DRAW, None)
    drawn = [simulated_draw.draw_if_nobody_has(engine_of_the_city, lambda done, of: None) for _ in range(2)]
    assert drawn == [season.DATES["result"][0], None]
    with Session(engine_of_the_city) as session:
        run = session.scalars(select(Run)).one()
        assert (run.state, run.published_at) == (RunState.PUBLISHED, season.DATES["result"][0])
        assert session.scalar(select(func.count()).select_from(draw_offers.Offer)) > 0


NUMBER_OF_MOVE = re.compile(r'("key": "[a-z_]+:)\d+')
"""The part of a message's key that tells which move of the history it is about."""


def by_the_verbs_and_in_bulk(session, tables, act, condition, monkeypatch) -> list[dict[str, list[str]]]:
    """What `act` writes while the condition of bulk rows holds for nobody, and then in bulk rows."""
    found = []
    for in_bulk in (False, True):
        with monkeypatch.context() as patch, session.begin_nested() as attempt:
            if not in_bulk:
                patch.setattr(*condition, lambda *args: false())
            before = rows_now(session, tables)
            act()
            session.flush()
            written = rows_since(session, before, tables)
            attempt.rollback()
        session.expire_all()
        if "roll_child" in written:
            written = without_seals(written)
        found.append({table: sorted(NUMBER_OF_MOVE.sub(r"\1", row) for row in rows) for table, rows in written.items()})
    return found


def test_bulk_answers_are_what_the_verbs_would_have_written(engine_of_the_city, monkeypatch):
    now = season.DATES["result"][0] + dt.timedelta(hours=5)
    tables = ("offer", "offer_move", "programme", "audit_entry", "notice", "job", "joint_decision")
    with Session(engine_of_the_city) as session:
        # whoever has a first wish has nothing to wait for, and in a small city hardly anybody has another
        session.execute(update(draw_offers.Offer).values(rank=2))

        def act():
            # everything happens to somebody in a city that is so small
            random = Cycle(0.01, 0.5, 0.1, 0.7, 0.999)
            simulated_people.answer_offers(session, random, now=now, after=None, leave=frozenset())

        condition = (simulated_people.answer_rows, "answers_alone")
        verbs, bulk = by_the_verbs_and_in_bulk(session, tables, act, condition, monkeypatch)
        assert bulk == verbs
        states = {json.loads(row)["state"] for row in verbs["offer"]}
        assert states == {"declined", "confirmed", "confirmed_waiting"}
        assert len(verbs["job"]) > 5 and len(verbs["notice"]) > CHILDREN // 2


def test_bulk_arrivals_are_what_the_verbs_would_have_written(engine_of_the_city, monkeypatch):
    answered, begins = season.DATES["result"][0] + dt.timedelta(hours=5), season.DATES["arrival"][0]
    now = season.DATES["arrival"][1] - dt.timedelta(hours=1)
    tables = (
        "offer", "offer_move", "audit_entry", "notice", "arrival_tap", "arrival_check", "arrival_entry", "roll_class", "roll_child",
        "programme",
    )  # fmt: skip
    with Session(engine_of_the_city) as session:
        simulated_people.answer_offers(session, Cycle(0.5), now=answered, after=None, leave=frozenset())
        clerk = people.actor(session, people.REVIEWER)
        busiest = select(Programme.kindergarten_id).order_by(Programme.taken.desc()).limit(1)
        here = session.scalar(busiest)
        head = replace(clerk, roles=frozenset({Role.HEAD}), kindergartens=frozenset({here}))

        def act():
            desk = arrivals._Desk(session, np.random.default_rng(3), head, begins, now)
            desk.decide_all(season.YEAR, here, frozenset())

        condition = (arrivals.arrival_rows, "comes_simply")
        verbs, bulk = by_the_verbs_and_in_bulk(session, tables, act, condition, monkeypatch)
        assert bulk == verbs
        assert len(verbs["roll_child"]) == len(verbs["arrival_entry"]) > 3
        session.rollback()


@pytest.mark.parametrize("luck,state", [(0.0, "declined"), (0.5, "confirmed"), (0.999, "offered")])
def test_bound_children_are_answered_for_once(town, luck, state):
    apple = town.kindergarten("金苹果", places=2)
    twins = town.twins("李沐晨", "李沐阳", wishes=[apple])
    town.drawn()
    done, _last = simulated_people.answer_offers(town.session, Cycle(luck), now=town.now, after=None, leave=frozenset())
    assert done == 2
    found = select(draw_offers.Offer.state).where(draw_offers.Offer.application_id.in_([twin.id for twin in twins]))
    assert list(town.session.scalars(found)) == [state, state]
