"""What projects that are approved or under way make of the forecast, and how a plan counts those whose work has begun."""

import dataclasses
import datetime as dt

import pytest

from allocation.planning.problem import Lock
from enrollment.coverage import shares
from enrollment.coverage.forecast import outlook
from enrollment.coverage.indicator import Definition
from enrollment.places.measures import library
from enrollment.places.measures.rows import Measure, MeasureKind, MeasureStage
from enrollment.planning import problem_reader, projects
from enrollment.planning.question import ENDING, Question
from tests.domain.coverage.test_forecast import write_past
from tests.support import planned_town
from tests.support.counted_city import NOON, YEAR, CountedCity
from tests.support.prepared import prepared

ON = dt.date(2026, 5, 22)
QUESTION = Question(5100, 8200, deadline=2027, years=3, most={ENDING: 0, MeasureKind.TO_PUBLIC: 0})


@prepared
def city(session):
    """September 2026 will have 300 children, 170 of them in public kindergartens."""
    city = CountedCity(session)
    city.targets()
    city.kindergarten("public", {"lower": 60, "middle": 50, "upper": 40})
    city.private = city.kindergarten("private", {"lower": 40, "middle": 50, "upper": 60})
    write_past(session, 2016)
    return city


def project(session, stage, *, begins, lead=1, places=90, kind=MeasureKind.BUILD, of=None, code="P1"):
    made = Measure(
        code=code, name=code, kind=kind, area_code="510104", kindergarten_id=of and of.id, nature="public", places=places,
        cost=900, yearly=10, earliest_year=begins, lead_years=lead, made_at=NOON, stage=stage,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def expected(session):
    figures = shares.city_shares(session, Definition(ON), year=YEAR)
    return projects.expected(session, outlook.outlook(session, figures))


def test_a_building_under_way_opens_class_by_class_in_the_forecast(session, city):
    """Of 90 places 30, 60 and 90 are open; 85 of a hundred are wanted, and as far as other families do not stay."""
    project(session, MeasureStage.UNDERWAY, begins=2025)
    found = expected(session)
    plain = outlook.outlook(session, shares.city_shares(session, Definition(ON), year=YEAR))
    without = [each.coverage.public for each in plain.septembers["510104"]]
    with_it = [each.public for each in found.septembers["510104"]]
    assert [more - less for more, less in zip(with_it, without, strict=True)] == [25, 51, 76]
    assert [each.all for each in found.septembers["510104"]] == [300] * 3
    assert found.septembers[""] == found.septembers["510104"]
    assert found.of_area("510104") == found.of_area("") and found.of_area("GXQ") == []


@pytest.mark.parametrize(
    ("stage", "begins", "counts"),
    [
        (MeasureStage.IDEA, 2026, False),
        (MeasureStage.APPROVED, 2026, True),
        (MeasureStage.DONE, 2025, False),
        (MeasureStage.UNDERWAY, 2024, False),
        (MeasureStage.APPROVED, 2023, False),
    ],
)
def test_which_projects_count(session, city, stage, begins, counts):
    """Not an idea; not what the roll has already; not what should have opened and has not begun, which is told."""
    made = project(session, stage, begins=begins)
    found = expected(session)
    assert bool(found.septembers) == counts and (made in found.projects) == counts
    assert list(found.late) == ([made] if (stage, begins) == (MeasureStage.APPROVED, 2023) else [])


def test_a_kindergarten_that_turns_takes_its_children_with_it(session, city):
    project(session, MeasureStage.APPROVED, begins=2027, lead=0, kind=MeasureKind.TO_PUBLIC, of=city.private, places=50)
    found = expected(session)
    first, second, _third = (each.public for each in found.septembers["510104"])
    assert (first, second) == (170, 180 + 42), "85 of a hundred places that turn"


@prepared
def library_of(town):
    town.schools = planned_town.children(town)
    town.build = planned_town.measure(town, MeasureKind.BUILD, 30, 900, lead_years=2, yearly=10, earliest_year=2025)
    town.turn = planned_town.measure(town, MeasureKind.TO_PUBLIC, 20, 100, of=town.schools["inclusive"])
    return town


def read(town, locks=None, question=QUESTION):
    return problem_reader.read(town.session, question, locks or {}, now=town.now).problem


def test_a_plan_counts_what_is_under_way_and_does_not_choose_it(library_of):
    town = library_of
    town.build.stage = town.turn.stage = MeasureStage.UNDERWAY
    town.turn.earliest_year = 2026
    town.session.flush()
    problem = read(town, {town.build.code: Lock.NEVER})
    build, turn = sorted(problem.measures, key=lambda each: each.kind)
    assert (build.lock, build.cost, build.yearly, build.lead, build.decided) == (Lock.MUST, 0, 10, 1, True)
    assert list(problem.starts(build)) == [0] and turn.lead == 0
    assert problem.most == {ENDING: 0, "to_public": 1}, "what has begun does not use up a cap"
    town.build.stage = MeasureStage.APPROVED
    town.session.flush()
    assert not next(each for each in read(town).measures if each.kind == "build").decided


def test_a_plan_leaves_out_what_the_roll_has_and_what_opens_after_its_years(library_of):
    town = library_of

    def counted(stage, begins, lead=2):
        town.build.stage, town.build.earliest_year, town.build.lead_years = stage, begins, lead
        town.session.flush()
        return town.build.code in {each.code for each in read(town).measures}

    assert counted(MeasureStage.UNDERWAY, 2026)
    assert not counted(MeasureStage.DONE, 2026)
    assert not counted(MeasureStage.UNDERWAY, 2022), "it was to open in 2024, so its children are on the roll"
    assert not counted(MeasureStage.UNDERWAY, 2026, lead=6)


def test_the_stage_of_a_measure_is_changed_with_its_other_values(library_of):
    town = library_of
    values = library.Values(
        name="建", kind=MeasureKind.BUILD, area="510104", kindergarten="", nature="public", places=30, cost=900, yearly=10,
        earliest_year=2026, lead_years=2, stage=MeasureStage.APPROVED,
    )  # fmt: skip
    library.change(town.session, town.build.id, values, version=1, by=town.city_official(), now=town.now)
    assert library.committed(town.session) == [town.build] and town.build.opens == 2028
    values = dataclasses.replace(values, stage=MeasureStage.DONE)
    library.change(town.session, town.build.id, values, version=2, by=town.city_official(), now=town.now)
    assert library.committed(town.session) == []
