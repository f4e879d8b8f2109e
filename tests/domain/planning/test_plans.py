"""A plan from its question to two signatures: read from the roll, searched, stopped with its best plan, checked, signed."""

import dataclasses

import pytest

from allocation.planning import arithmetic, model
from allocation.planning.problem import BY_LEVEL, FULL, Lock
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.places.measures import library, ramps
from enrollment.places.measures.rows import MeasureKind
from enrollment.planning import plans, problem_reader, search
from enrollment.planning.plan_rows import PlanState
from enrollment.planning.problem_reader import Basis
from tests.support import planned_town
from tests.support.crowd import crowd
from tests.support.planned_town import QUESTION
from tests.support.prepared import prepared
from tests.support.staff_leaving import loses_the_role

QUICK = model.Effort((5.0, 5.0, 5.0), money_gap=0.0)


@prepared
def city(town):
    town.schools = planned_town.children(town)
    town.build = planned_town.measure(town, MeasureKind.BUILD, 30, 900, lead_years=1, yearly=10)
    town.turn = planned_town.measure(town, MeasureKind.TO_PUBLIC, 20, 100, of=town.schools["inclusive"], yearly=40)
    town.close = planned_town.measure(town, MeasureKind.CLOSE, 15, 5, of=town.schools["private"], yearly=-3)
    town.official = town.city_official()
    return town


def ask(city, question=QUESTION, **more):
    return plans.create(city.session, " 试算 ", question, by=city.official, now=city.now, **more)


def read(city, plan) -> search.Task:
    plans.request(city.session, plan.id, version=plan.version, by=city.official, now=city.now)
    return search.read(city.session, plan.id, now=city.now)


def searched(city, plan, stop_after: int | None = None):
    """Search as the worker does; `stop_after` many better plans an official stops it."""
    task, kept = read(city, plan), []

    def keep(result):
        kept.append(result)
        search.save(city.session, plan.id, plan.job_id, result)
        if stop_after == len(kept):
            plans.stop(city.session, plan.id, by=city.official, now=city.now)

    tell = search.Reporter(lambda *_step: None, keep, lambda: search.was_stopped(city.session, plan.id))
    result = search.run(task, tell, QUICK)
    search.save(city.session, plan.id, plan.job_id, result)
    search.finish(city.session, plan.id, now=city.now)
    return plans.get(city.session, plan.id)


def test_the_numbers_come_from_the_roll_and_the_list_of_measures(city):
    basis = problem_reader.read(city.session, QUESTION, {city.close.code: Lock.NEVER}, now=city.now)
    problem = basis.problem
    assert problem.areas == ("510104",) and problem.first_year == 2026
    assert basis.today == ((45, 40, 15),)
    assert problem.places == ((45, 40, 25),)
    assert problem.years[0][1].public_target == 5100 and problem.years[0][0].public_target == 0
    assert {each.code: each.places for each in problem.measures} == {
        city.build.code: (30, 0, 0),
        city.turn.code: (20, -20, 0),
        city.close.code: (0, 0, -15),
    }
    assert [each.lock for each in problem.measures if each.code == city.close.code] == [Lock.NEVER]
    assert Basis.from_json(basis.to_json()) == basis
    gliding = dataclasses.replace(QUESTION, glide=True)
    asked = problem_reader.read(city.session, gliding, {}, now=city.now).problem.years[0]
    assert [each.public_target for each in asked] == [4800, 5100, 5100]


def test_what_families_want_is_told_by_the_newest_round_whose_registration_has_ended(city, monkeypatch):
    """Not by the first draft of a new season, nor by an application that was withdrawn."""
    monkeypatch.setattr(problem_reader, "FEWEST_WISHES", 3)
    public, inclusive = city.schools["public"], city.schools["inclusive"]
    for each in (public, inclusive):
        city.programme(each, places=5)
        city.programme(each, places=5, year=2027)
    city.open_registration()
    crowd(city, 3, public)
    crowd(city, 1, inclusive)
    crowd(city, 4, inclusive, stage="withdrawn")

    def willing():
        found = problem_reader.read(city.session, QUESTION, {}, now=city.now)
        return found.problem.willing, found.wishes

    assert willing() == ((None,), 0), "families still change their lists"
    city.close_registration()
    assert willing() == ((7500,), 4)
    city.the_season = city.the_round = None
    city.season(2027)
    draft = city.child("安娜", year=2027, wishes=[inclusive], submit=False)
    assert draft.stage == "draft" and willing() == ((7500,), 4)


def test_new_places_open_as_the_city_says_for_their_kind(city):
    def ramp_of(measure):
        read = problem_reader.read(city.session, QUESTION, {}, now=city.now)
        assert Basis.from_json(read.to_json()) == read
        return next(each.ramp for each in read.problem.measures if each.code == measure.code)

    assert ramp_of(city.build) == BY_LEVEL and ramp_of(city.turn) == FULL
    before = problem_reader.read(city.session, QUESTION, {}, now=city.now)
    changed = ramps.change(city.session, {"build": (20, 50, 80)}, version=0, by=city.official, now=city.now)
    assert changed == {"build": (BY_LEVEL, (20, 50, 80))}
    assert ramp_of(city.build) == (20, 50, 80, 100)
    assert problem_reader.read(city.session, QUESTION, {}, now=city.now).problem.digest != before.problem.digest
    stored = before.to_json()
    for one in stored["problem"]["measures"]:
        del one["ramp"]
    assert {each.ramp for each in Basis.from_json(stored).problem.measures} == {FULL}  # a plan from before ramps
    with pytest.raises(Stale):
        ramps.change(city.session, {"build": (30, 60, 90)}, version=0, by=city.official, now=city.now)
    for wrong in ((50, 40, 100), (0, 50, 100), (50, 90, 101)):
        with pytest.raises(Refused, match="measure_ramp"):
            ramps.change(city.session, {"build": wrong}, version=1, by=city.official, now=city.now)
    with pytest.raises(Refused, match="only_the_city"):
        ramps.change(city.session, {}, version=1, by=city.area_official("510104"), now=city.now)


def test_a_plan_is_searched_checked_priced_and_signed_by_two(city):
    plan = searched(city, ask(city))
    result = plan.result
    assert plan.state == PlanState.DONE and result["checked"] and result["starts"] == {city.turn.code: 1}
    assert result["claimed"] == [0, 0, 100 + 2 * 40]
    basis = Basis.from_json(plan.basis)
    assert not arithmetic.faults(basis.problem, result["starts"], tuple(result["claimed"]))
    assert [point["target"] for point in result["curve"]] == [5000, 5050, 5150, 5200, 5250, 5300]
    assert result["curve"][-1]["money"] >= result["claimed"][2]
    with pytest.raises(Refused, match="plan_not_proposed"):
        plans.sign(city.session, plan.id, version=plan.version, by=city.official, now=city.now)
    plans.propose(city.session, plan.id, version=plan.version, by=city.official, now=city.now)
    with pytest.raises(Refused, match="plan_second_person"):
        plans.sign(city.session, plan.id, version=plan.version, by=city.official, now=city.now)
    plans.sign(city.session, plan.id, version=plan.version, by=city.city_official(), now=city.now)
    with pytest.raises(Refused, match="plan_is_signed"):
        plans.request(city.session, plan.id, version=plan.version, by=city.official, now=city.now)


def test_a_plan_whose_first_person_has_lost_the_role_is_proposed_anew(city):
    plan, first, second = searched(city, ask(city)), city.city_official(), city.city_official()
    plans.propose(city.session, plan.id, version=plan.version, by=first, now=city.now)
    assert plans.waits_for_second(city.session, plan)
    loses_the_role(city, first)
    assert not plans.waits_for_second(city.session, plan)
    with pytest.raises(Refused, match="first_person_left"):
        plans.sign(city.session, plan.id, version=plan.version, by=second, now=city.now)
    plans.propose(city.session, plan.id, version=plan.version, by=second, now=city.now)
    plans.sign(city.session, plan.id, version=plan.version, by=city.official, now=city.now)
    assert plan.signed_by == city.official.account_id


def test_a_lock_changes_the_plan_and_what_came_and_went_is_told(city):
    plan = searched(city, ask(city))
    plans.lock(
        city.session, plan.id, {city.turn.code: Lock.NEVER}, version=plan.version, by=city.official, now=city.now
    )
    assert plans.get(city.session, plan.id).state == PlanState.DRAFT
    plan = searched(city, plan)
    assert plan.result["before"] == {city.turn.code: 1}
    assert plan.result["starts"] == {city.build.code: 0}
    other = ask(city, locks_of=plan.id)
    assert other.locks == {city.turn.code: Lock.NEVER}


def test_what_cannot_be_is_told_as_promises_with_their_prices(city):
    question = dataclasses.replace(QUESTION, budget=150)
    plan = ask(city, question)
    plans.lock(city.session, plan.id, {city.turn.code: Lock.NEVER}, version=1, by=city.official, now=city.now)
    told = searched(city, plan).result["conflict"]
    promises = {one["promise"]: one for one in told["promises"]}
    assert told["proved"] and set(promises) == {"locks", "budget", "public"}
    assert promises["budget"]["possible"] and promises["budget"]["money"] == 900 + 2 * 10
    assert promises["locks"]["possible"] and promises["locks"]["money"] == 180
    assert told["out_of_reach"] == []


def test_a_search_that_is_stopped_keeps_its_best_plan(city, monkeypatch):
    monkeypatch.setattr(search, "PATIENCE", 0.0)
    for number in range(30):
        planned_town.measure(city, MeasureKind.ENLARGE, 1 + number % 3, 7 + number)
    plan = searched(city, ask(city), stop_after=1)
    assert plan.state == PlanState.STOPPED and plan.solved_at
    result = plan.result
    assert result["stopped"] and result["checked"] and not result["curve"]
    problem = Basis.from_json(plan.basis).problem
    assert not arithmetic.faults(problem, result["starts"], tuple(result["claimed"]))
    plans.propose(city.session, plan.id, version=plan.version, by=city.official, now=city.now)


def test_what_is_refused(city):
    question = QUESTION
    for wrong, code in (
        (dataclasses.replace(question, deadline=2031), "plan_deadline"),
        (dataclasses.replace(question, public=9000), "plan_targets"),
        (dataclasses.replace(question, years=9), "plan_years"),
        (dataclasses.replace(question, budget=-1), "plan_budget"),
        (dataclasses.replace(question, fill=0), "plan_shares"),
    ):
        with pytest.raises(Refused, match=code):
            ask(city, wrong)
    with pytest.raises(Refused, match="plan_name_missing"):
        plans.create(city.session, " ", question, by=city.official, now=city.now)
    with pytest.raises(Refused, match="only_the_city"):
        plans.create(city.session, "试", question, by=city.area_official(), now=city.now)
    plan = ask(city)
    with pytest.raises(Stale):
        plans.lock(city.session, plan.id, {}, version=9, by=city.official, now=city.now)
    with pytest.raises(Refused, match="plan_not_ready"):
        plans.propose(city.session, plan.id, version=1, by=city.official, now=city.now)


def test_measures_are_changed_by_their_area_and_checked(city):
    own, foreign = city.area_official("510104"), city.area_official("510105")
    values = library.Values(
        name="改", kind=MeasureKind.TO_INCLUSIVE, area="510104", kindergarten=city.schools["private"].code,
        nature="public", places=10, cost=1, yearly=2, earliest_year=2027, lead_years=0,
    )  # fmt: skip
    library.change(city.session, city.close.id, values, version=1, by=own, now=city.now)
    assert library.get(city.session, city.close.id).name == "改"
    with pytest.raises(Stale):
        library.change(city.session, city.close.id, values, version=1, by=own, now=city.now)
    with pytest.raises(NotFound):
        library.withdraw(city.session, city.close.id, version=2, by=foreign, now=city.now)
    with pytest.raises(Refused, match="measure_area"):
        library.add(city.session, values, by=foreign, now=city.now)
    turned = dataclasses.replace(values, kindergarten=city.schools["inclusive"].code)
    with pytest.raises(Refused, match="measure_turns_nothing"):
        library.add(city.session, turned, by=own, now=city.now)
    with pytest.raises(Refused, match="measure_kindergarten"):
        library.add(city.session, dataclasses.replace(values, kindergarten=""), by=own, now=city.now)
    with pytest.raises(Refused, match="measure_numbers"):
        library.add(city.session, dataclasses.replace(values, places=0), by=own, now=city.now)
    library.withdraw(city.session, city.close.id, version=2, by=own, now=city.now)
    assert city.close.code not in {each.code for each in library.all_measures(city.session)}
