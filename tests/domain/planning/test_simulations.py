"""A plan played through with the families of a published run: what fills and what does not, and what is kept of it."""

import pytest

from enrollment.ground.errors import Refused
from enrollment.places.measures.rows import MeasureKind
from enrollment.planning import plans, simulations
from enrollment.planning.plan_rows import PlanState
from tests.domain.planning.test_plans import searched
from tests.support import planned_town
from tests.support.planned_town import QUESTION

AREA = "510104"


@pytest.fixture
def city(town):
    """Five families want the public kindergarten, which takes two; the private one takes no part in the round."""
    public = town.kindergarten("公办园", area=AREA, nature="public", places=2, code=f"{AREA}PUB")
    private = town.kindergarten("民办园", area=AREA, nature="private", code=f"{AREA}PRI")
    town.roll(public, "middle", 45)
    town.roll(private, "middle", 55)
    for name in "甲乙丙丁戊":
        town.child(name, wishes=[public])
    town.drawn()
    town.turn = planned_town.measure(town, MeasureKind.TO_PUBLIC, 55, 10, of=private)
    town.build = planned_town.measure(town, MeasureKind.BUILD, 9, 900, lead_years=1)
    town.official = town.city_official()
    return town


def played(city, plan):
    simulations.enqueue_after_search(city.session, plan.id, now=city.now)
    row = simulations.of_plan(city.session, plan.id)
    assert simulations.is_running(city.session, row)
    result = simulations.run(simulations.read(city.session, plan.id), lambda _done: None)
    simulations.finish(city.session, plan.id, row.job_id, result, now=city.now)
    return simulations.result_for(plan, simulations.of_plan(city.session, plan.id))


def test_a_plan_is_played_through_with_the_families_of_the_published_run(city):
    plan = plans.create(city.session, "试", QUESTION, by=city.official, now=city.now)
    plan.locks = {city.build.code: "must", city.turn.code: "never"}
    plan = searched(city, plan)
    assert plan.result["starts"] == {city.build.code: 0}
    found = played(city, plan)
    assert found["source"]["children"] == 5 and found["draws"] == simulations.DRAWS
    without, first = found["entering"][0], found["entering"][1]
    assert without["public"][1:] == [2, 2, 2, 2] and first["children"] == 5
    assert first["public"][1:] == [5, 5, 5, 2]  # three more each September
    assert found["measures"] == [[city.build.code, 1, 3, 2, 3, 3, 3]]
    shares = dict(found["shares"])[AREA]
    assert [line["public"][1] for line in shares] == [4500, 4800, 5100]  # three of a hundred more each year
    again = searched(city, plan)
    assert simulations.result_for(again, simulations.of_plan(city.session, plan.id)) is not None
    plans.lock(city.session, plan.id, {city.build.code: "never"}, version=again.version, by=city.official, now=city.now)
    other = searched(city, plans.get(city.session, plan.id))
    assert simulations.result_for(other, simulations.of_plan(city.session, plan.id)) is None


def test_who_may_ask_and_what_there_is_to_play(city):
    plan = plans.create(city.session, "试", QUESTION, by=city.official, now=city.now)
    with pytest.raises(Refused, match="plan_not_ready"):
        simulations.ask(city.session, plan.id, by=city.official, now=city.now)
    with pytest.raises(Refused, match="only_the_city"):
        simulations.ask(city.session, plan.id, by=city.area_official(), now=city.now)
    plan = searched(city, plan)
    simulations.ask(city.session, plan.id, by=city.official, now=city.now)
    row = simulations.of_plan(city.session, plan.id)
    simulations.ask(city.session, plan.id, by=city.official, now=city.now)
    assert simulations.of_plan(city.session, plan.id).job_id == row.job_id
    simulations.finish(city.session, plan.id, row.job_id, None, now=city.now)
    assert simulations.of_plan(city.session, plan.id).state == PlanState.REFUSED
