"""F13: ten kindergartens reviewed one child at once.  Here one clerk holds a review, whoever else asks at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import MoveMade
from enrollment.ground.db import open_engine
from enrollment.ground.errors import NotFound, Refused
from enrollment.review import review
from enrollment.review.queue import task_groups
from tests.support.town import Town

RACERS = 10


@pytest.fixture
def engine_of_its_own(real_database):
    engine = open_engine(real_database, pool_size=RACERS + 1)
    yield engine
    engine.dispose()


def race(engine, act, clerks):
    """All at the same moment, each in a session of its own; what each got, or the code of its refusal."""
    start = threading.Barrier(len(clerks))

    def one(clerk):
        with Session(engine) as session:
            start.wait()
            try:
                got = act(session, clerk)
                session.commit()
                return got
            except Refused as refused:
                session.rollback()
                return refused.code

    with ThreadPoolExecutor(len(clerks)) as pool:
        return list(pool.map(one, clerks))


def test_ten_clerks_ask_for_one_application_and_one_gets_it(engine_of_its_own, now):
    with Session(engine_of_its_own, expire_on_commit=False) as session:
        town = Town(session, now)
        kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
        town.open_registration()
        ana = town.child("安娜", wishes=[kindergarten])
        town.registration_is_over()
        clerks = [town.clerk_of(kindergarten) for _ in range(RACERS)]
        session.commit()
    moment = town.now

    def take(session, clerk):
        return review.take(session, ana.id, by=clerk, now=moment).id

    got = race(engine_of_its_own, take, clerks)
    assert sorted(map(str, got)) == sorted([str(ana.id), *["taken_by_another"] * (RACERS - 1)])
    with Session(engine_of_its_own) as session:
        taken = session.get_one(Application, ana.id)
        assert taken.stage == "in_review"
        assert taken.reviewer_id == clerks[[str(each) for each in got].index(str(ana.id))].account_id
        assert [move for move in session.scalars(select(MoveMade.move)) if move == "take"] == ["take"]


def test_ten_clerks_ask_for_the_next_and_get_ten_different_ones(engine_of_its_own, now):
    with Session(engine_of_its_own, expire_on_commit=False) as session:
        town = Town(session, now)
        kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
        town.open_registration()
        children = [town.child(name, wishes=[kindergarten]).id for name in "甲乙丙丁戊己庚辛壬癸"]
        town.registration_is_over()
        clerks = [town.clerk_of(kindergarten) for _ in range(RACERS)]
        session.commit()
    moment = town.now

    def take_next(session, clerk):
        taken = task_groups.take_next(session, by=clerk, now=moment)
        return taken.id if taken else None

    got = race(engine_of_its_own, take_next, clerks)
    assert sorted(got) == sorted(children)


def test_another_kindergarten_does_not_find_it(town):
    here, there = town.kindergarten("锦官新城幼儿园", places=10), town.kindergarten("小蜜蜂幼儿园", places=10)
    town.open_registration()
    ana = town.child("安娜", wishes=[here, there])
    town.registration_is_over()
    with pytest.raises(NotFound):
        review.take(town.session, ana.id, by=town.clerk_of(there), now=town.now)
    assert task_groups.overview(town.session, by=town.clerk_of(there), now=town.now).number() == 0
