"""OFF12: a visitor of the demo who moves the clock gets the same supplementary round as a city that is built to its end."""

import contextvars
import datetime as dt
import functools
import uuid

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from enrollment.applications import lifecycle
from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.applications import Wish
from enrollment.applications.returned_items import ReturnedItem
from enrollment.draw import execution, runs
from enrollment.draw.draws import Snapshot
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground import jobs
from enrollment.ground.db import open_engine
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import Job
from enrollment.laboratory.study_rows import LaboratoryStudy
from enrollment.offers.offers import Offer
from enrollment.planning.plan_rows import MeasurePlan
from enrollment.review import review
from enrollment.review.review import Ask
from enrollment.season.rounds import Round
from portal.app import create_app
from portal.config import Config
from portal.demo import people, season, time_travel
from portal.demo.actors import bulk_acts, simulated_draw, simulated_witnesses
from portal.demo.actors.due_steps import SimulatedStep, due_step
from portal.demo.city_builder import CityBuilder
from portal.demo.planning import examples
from portal.demo.rounds.later_rounds import LaterRounds
from portal.jobs import runner
from portal.web.clock import now as city_now
from tests.support.keys import KEYS
from tests.support.signing_in import sign_in

CHILDREN = 120
SENT_BACK = 2 * bulk_acts.WAITING_FOR_A_RETURN
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


@pytest.fixture
def demo(database, addresses, worker_number):
    """The portal of a demo with this database."""
    runner.load_handlers()
    address = database.url.render_as_string(hide_password=False)
    queue = addresses.queue(1 + worker_number % 15)
    config = Config(database_url=address, redis_url=queue, secret_key="of this test alone", keys=KEYS, demo=True)
    app = create_app(config)
    with app.app_context():
        yield app


def people_act(database, kind: str = time_travel.KIND) -> dict:
    """Run the waiting job of this kind; its result."""
    with Session(database) as session:
        job_id = session.scalars(select(Job.id).where(Job.kind == kind, Job.state == "waiting")).one()
    assert runner.run(database, functools.partial(city_now, demo=True), job_id, "visitor") == "done"
    with Session(database) as session:
        return session.get_one(Job, job_id).result or {}


def go_to(database, step: str) -> dict:
    with Session(database) as session, session.begin():
        time_travel.advance_to(session, step, now=city_now(session, demo=True))
    return people_act(database)


def test_a_visitor_who_only_moves_the_clock_meets_every_step(database, demo):
    """Some applications are sent back, and nobody answers: the list is frozen and drawn all the same."""
    CityBuilder(database, SENT_BACK, 7, lambda step, done, of: None).build("registration")
    steps = ("review", "draw", "result", "confirmation", "supplementary", "arrival")
    results = {step: go_to(database, step) for step in steps}
    with Session(database) as session:
        assert session.scalar(select(func.count()).select_from(ReturnedItem).where(ReturnedItem.answered_at.is_(None)))
        stages = session.scalars(select(Round.stage).where(Round.year == season.YEAR).order_by(Round.number)).all()
    assert results["result"]["drawn"] and results["confirmation"]["answered"] and results["arrival"]["arrivals"]
    assert results["supplementary"]["supplementary"] and results["arrival"]["supplementary_drawn"]
    assert stages == ["published", "published"]


def sent_back_on_the_day_of_the_draw(database) -> uuid.UUID:
    """A visitor's own clerk looks at a confirmed application again in the afternoon, and sends it back."""
    with Session(database) as session, session.begin():
        now, clerk = city_now(session, demo=True) + dt.timedelta(hours=3), people.reviewing_clerk(session)
        found = select(Application.id).where(Application.stage == Stage.CONFIRMED).order_by(Application.id).limit(1)
        application_id = session.scalars(found).one()
        lifecycle.make_many(session, [application_id], "reopen", by=clerk, now=now)
        review.take(session, application_id, by=clerk, now=now)
        review.send_back(session, application_id, [Ask("home_area", "请补充")], by=clerk, now=now)
        return application_id


def clock_page(demo, language: str) -> str:
    # without the context of the job: the language of a page is kept there
    ask = functools.partial(demo.test_client().get, f"/demo/clock?lang={language}", follow_redirects=True)
    answer = contextvars.Context().run(ask)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("gone", ["by_time", "by_the_clerk"])
def test_what_keeps_the_draw_from_happening_is_told_and_when_it_is_gone_the_draw_goes_on(database, demo, gone):
    CityBuilder(database, CHILDREN, 7, lambda step, done, of: None).build("registration")
    for step in ("review", "draw"):
        go_to(database, step)
    application_id = sent_back_on_the_day_of_the_draw(database)
    result = go_to(database, "result")
    assert (result["drawn"], result["waits"]["refused"]) == (False, "returns_have_time")
    told = clock_page(demo, "zh")
    assert "模拟的抽签没有进行" in told and "有 1 份退回的申请" in told and "/staff/queue" in told
    assert "obstacle_over" in told and "/demo/clock/confirmation" not in told
    assert "the simulated draw has not happened" in clock_page(demo, "en")
    with pytest.raises(Refused, match="simulated_step_waits"):
        go_to(database, "confirmation")
    assert goes_on(database) is False, "the family still has time"
    if gone == "by_time":
        go_to(database, time_travel.OBSTACLE_OVER)
    else:
        with Session(database) as session, session.begin():
            now, clerk = city_now(session, demo=True), people.reviewing_clerk(session)
            lifecycle.make_many(session, [application_id], "take_return_back", by=clerk, now=now)
        assert goes_on(database) is True
        people_act(database)
    with Session(database) as session:
        now = city_now(session, demo=True)
        run = session.scalars(select(Run).where(Run.state == RunState.PUBLISHED)).one()
        frozen_at = session.get_one(Snapshot, run.snapshot_id).made_at
        assert season.DATES["result"][0] < frozen_at < run.published_at < now, "all of it happened after the obstacle"
        assert due_step(session, now=now) is None
    assert "模拟的抽签没有进行" not in clock_page(demo, "zh")
    assert go_to(database, "confirmation")["answered"]


def goes_on(database) -> bool:
    """What the job of every minute finds."""
    with Session(database) as session, session.begin():
        jobs.enqueue(session, "demo_goes_on", now=city_now(session, demo=True))
    return people_act(database, "demo_goes_on")["goes_on"]


def test_a_draw_that_a_visitor_has_begun_stays_the_visitors_and_the_clock_says_so(database, demo):
    CityBuilder(database, CHILDREN, 7, lambda step, done, of: None).build("review")
    with Session(database) as session, session.begin():
        now = city_now(session, demo=True)
        main_id = session.scalars(select(Round.id).where(Round.year == season.YEAR)).one()
        begun = now + dt.timedelta(days=4)
        simulated_witnesses.declare(session, main_id, begun, by=people.actor(session, "city1"), now=now)
    for step in ("draw", "result"):
        go_to(database, step)
    told = clock_page(demo, "zh")
    assert "已经有访客开始办理" in told and f"/officials/2026/rounds/{main_id}/draw" in told
    assert "/demo/clock/confirmation" in told, "the clock is not held by what a visitor does"
    with Session(database) as session, session.begin():
        jobs.enqueue(session, "demo_goes_on", now=city_now(session, demo=True))
    assert people_act(database, "demo_goes_on") == {}


def test_a_fresh_demo_has_a_plan_and_a_study_whose_pages_show_the_results(database, demo):
    """The workers compute both after the city can be used; every page and file of the two answers."""
    said = demo.test_cli_runner().invoke(args=["demo", "--children", str(CHILDREN)])
    assert said.exit_code == 0, said.output
    assert people_act(database, "draw_laboratory") == people_act(database, "search_plan") == {"state": "done"}
    with Session(database) as session:
        plan = session.scalars(select(MeasurePlan).options(undefer(MeasurePlan.result))).one()
        study = session.scalars(select(LaboratoryStudy)).one()
        assert (plan.state, study.state) == ("done", "done")
        assert (
            plan.result["checked"] and plan.result["claimed"][:2] == [0, 0] and plan.result["proofs"][-1]["bound"] > 0
        )
        assert len(study.variants) == 4 and all(each.result["draws"] == examples.DRAWS for each in study.variants)
        pages = {
            f"/officials/2026/planning/{plan.id}": "已证明是最省的",
            f"/officials/2026/planning/{plan.id}/plan.xlsx": "",
            f"/officials/2026/laboratory/{study.id}": "比 A 变好、变差的孩子",
            f"/officials/2026/laboratory/{study.id}/figures.csv": "两段各报一所",
        }
        client = demo.test_client()
        client.rows_of_the_test = session
        sign_in(client, people.actor(session, "city1").account_id)
        session.commit()
    for page, part in pages.items():
        answer = contextvars.Context().run(client.get, page)
        assert answer.status_code == 200, page
        assert not part or part in answer.text


def test_the_clock_of_a_visitor_opens_the_supplementary_round_and_draws_it(city, monkeypatch):
    """As in a city that is built to its end: the families answer, ask again or come late, and two officials draw, once, also where
    they were killed between their transactions."""

    def killed(*_args, **_values):
        raise KeyboardInterrupt

    hour = season.DATES["result"][0]
    bulk_acts.finish_answers(city, hour + dt.timedelta(hours=5), lambda done, of: None)
    opened = [LaterRounds.of_the_city(city, lambda step, done, of: None).open_for_visitor() for _ in range(2)]
    assert opened == [True, False]
    with Session(city) as session:
        asking = select(func.count(Wish.application_id.distinct())).join(Round, Round.id == Wish.round_id)
        assert session.scalar(asking.where(Round.number == 2)) > 0
    for step in ((execution, "execute"), (simulated_draw, "publish"), (runs, "sign")):
        with monkeypatch.context() as patch:
            patch.setattr(*step, killed)
            with pytest.raises(KeyboardInterrupt):
                LaterRounds.of_the_city(city, lambda step, done, of: None).finish_for_visitor()
        with Session(city) as session:
            due = due_step(session, now=season.DATES["arrival"][0])
            assert (due.step, due.obstacle) == (SimulatedStep.SUPPLEMENTARY_DRAW, None), step
    drawn = [LaterRounds.of_the_city(city, lambda step, done, of: None).finish_for_visitor() for _ in range(2)]
    assert drawn == [True, False]
    with Session(city) as session:
        assert len(session.scalars(select(Run.id).join(Round).where(Round.number == 2)).all()) == 1
        second = session.scalars(select(Round).where(Round.year == season.YEAR, Round.number == 2)).one()
        assert second.stage == "published"
        placed = select(func.count()).select_from(Offer).where(Offer.round_id == second.id)
        assert session.scalar(placed.where(Offer.state == "confirmed")) > 0
