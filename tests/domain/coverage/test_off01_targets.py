"""OFF01, OFF02: targets are set for a year and an area by two people, with their source; nothing stands in for them."""

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from allocation.coverage import Percent
from enrollment.coverage import shares, target_decisions
from enrollment.coverage.indicator import Definition
from enrollment.coverage.target_decisions import Source
from enrollment.coverage.targets import Targets, TargetScope, targets_on
from enrollment.ground.accounts import Actor, Role
from enrollment.ground.errors import Refused
from tests.support.counted_city import DAY, NOON, YEAR, CountedCity
from tests.support.prepared import prepared

ON = dt.date(2026, 5, 22)
PLAN = Source("学前教育普及普惠工作计划", "成教〔2026〕1号", dt.date(2026, 1, 5))
AREA_OFFICIAL = Actor(None, "区", frozenset({Role.AREA_OFFICIAL}), areas=frozenset({"510104"}))


@prepared
def city(session):
    return CountedCity(session)


def proposed(city, public=5_100, inclusive=8_200, *, year=YEAR, source=PLAN, scope=TargetScope.CITY, **more):
    settings = {"in_force_from": dt.date(year, 1, 1), "by": city.official(1), "now": NOON} | more
    said = Targets(*(share if share is None else Percent(share) for share in (public, inclusive)))
    return target_decisions.propose(city.session, year, scope, said, source, **settings)


def figures(session, on=ON, year=YEAR):
    return shares.city_shares(session, Definition(on), year=year)


def test_a_proposal_holds_once_another_official_signs(session, city):
    made = proposed(city)
    assert not targets_on(session, ON).city
    with pytest.raises(Refused, match="second_person_needed"):
        target_decisions.sign(session, made.id, by=city.official(1), now=NOON)
    target_decisions.sign(session, made.id, by=city.official(2), now=NOON)
    assert targets_on(session, ON).city == Targets(Percent(5_100), Percent(8_200))
    assert [decision.source_number for decision in targets_on(session, ON).decisions] == ["成教〔2026〕1号"]


def test_a_new_year_has_no_targets_until_they_are_set(session, city):
    city.targets()
    city.kindergarten("public", {"lower": 10})
    result = figures(session, dt.date(2027, 3, 1), 2027)
    assert not result.targets.city and not result.later.city
    assert (result.city.now.public_share.text, result.city.now.public_share.met) == ("100.00", None)


def test_an_area_has_its_own_target_and_that_of_the_city_for_the_other_share(session, city):
    city.targets("53", "82")
    city.targets(None, "90", scope="area", area="GXQ")
    city.kindergarten("public", {"lower": 52})
    city.kindergarten("private", {"lower": 48})
    city.kindergarten("inclusive", {"lower": 10}, area_code="GXQ")
    result = figures(session)
    assert result.city.now.public_target == Percent(5_300)
    zone = next(line.now for line in result.areas if line.code == "GXQ")
    assert (zone.public_target, zone.inclusive_target) == (Percent(5_300), Percent(9_000))


def test_the_least_of_the_state_is_a_second_line(session, city):
    city.targets()
    city.targets("50", "80", scope="national")
    city.kindergarten("public", {"lower": 505})
    city.kindergarten("private", {"lower": 495})
    line = figures(session).city
    assert (line.now.public_share.met, line.least.public_share.met) == (False, True)
    assert line.least.inclusive_coverage.to_move == 295


def test_the_target_is_that_of_the_figures_own_year_and_of_the_intakes_year(session, city):
    for year, public in ((2025, "50"), (2026, "51"), (2027, "52")):
        city.targets(public, "82", year=year)
    city.kindergarten("public", {"lower": 25})
    autumn = figures(session, dt.date(2025, 10, 1), 2026).city
    assert (autumn.now.public_target, autumn.after.public_target) == (Percent(5_000), Percent(5_100))
    assert figures(session, dt.date(2026, 10, 1), 2027).city.after.public_target == Percent(5_200)


def test_the_newest_day_then_the_newest_signature_holds_and_all_are_kept(session, city):
    city.targets("51", "82")
    city.targets("55", "82", in_force_from=dt.date(2026, 7, 1))
    city.targets("52", "82", now=NOON + DAY)
    assert targets_on(session, ON).city.public == Percent(5_200)
    assert targets_on(session, dt.date(2026, 7, 1)).city.public == Percent(5_500)
    assert len(target_decisions.history(session, YEAR)) == 3


def test_a_withdrawn_proposal_never_holds_and_makes_room(session, city):
    made = proposed(city)
    with pytest.raises(Refused, match="target_is_proposed"):
        proposed(city, 5_200)
    target_decisions.withdraw(session, made.id, by=city.official(1), now=NOON)
    with pytest.raises(Refused, match="target_is_decided"):
        target_decisions.sign(session, made.id, by=city.official(2), now=NOON)
    proposed(city, 5_200)
    assert not targets_on(session, ON).city
    assert len(target_decisions.history(session, YEAR)) == 2


def test_who_has_to_sign_is_told(session, city):
    made = proposed(city)
    assert target_decisions.waiting_for(session, by=city.official(2)) == [made]
    assert target_decisions.waiting_for(session, by=city.official(1)) == []
    assert target_decisions.waiting_for(session, by=AREA_OFFICIAL) == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"by": AREA_OFFICIAL}, "only_the_city"),
        ({"public": None, "inclusive": None}, "target_empty"),
        ({"source": Source(" ", "", ON)}, "target_source_missing"),
        ({"source": Source("计划", "", dt.date(2099, 1, 1))}, "target_source_date"),
        ({"in_force_from": dt.date(2027, 1, 1)}, "target_from_later_year"),
        ({"scope": TargetScope.AREA}, "target_area"),
        ({"scope": TargetScope.AREA, "area": "999999"}, "target_area"),
        ({"year": 1999}, "target_year"),
    ],
)
def test_what_cannot_be_proposed(city, wrong, code):
    with pytest.raises(Refused, match=code):
        proposed(city, **wrong)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("public = 10001", "zero_to_all|does not change"),
        ("signed_by = proposed_by, signed_at = now()", "second_person"),
        ("signed_by = NULL, signed_at = now()", "signed_by_somebody"),
        ("scope = 'area'", "does not change"),
        ("in_force_from = '2027-01-01'", "does not change"),
    ],
)
def test_the_database_refuses_what_the_service_refuses(session, city, change, constraint):
    proposed(city)
    with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
        session.execute(text(f"UPDATE target_decision SET {change}"))


@pytest.mark.parametrize("values", ["-1, 5000", "10001, NULL", "NULL, NULL"])
def test_the_range_of_a_target_in_the_database(session, city, values):
    """OFF02: the constraint and the type of a percentage agree."""
    made = proposed(city)
    copy = (
        "INSERT INTO target_decision (id, year, scope, public, inclusive, in_force_from, source_name, source_date,"
        f" proposed_by, proposed_at) SELECT gen_random_uuid(), 2027, scope, {values}, in_force_from, source_name,"
        " source_date, proposed_by, proposed_at FROM target_decision WHERE id = :id"
    )
    with pytest.raises(IntegrityError, match=r"zero_to_all|some_share"), session.begin_nested():
        session.execute(text(copy), {"id": made.id})
    session.execute(text(copy.replace(values, "0, 10000")), {"id": made.id})


def test_a_signed_decision_is_never_changed_and_none_is_deleted(session, city):
    city.targets()
    for harm in ("UPDATE target_decision SET withdrawn_at = now()", "DELETE FROM target_decision"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(harm))


def test_a_target_of_everything_has_no_answer_from_outside(session, city):
    """OFF02"""
    city.targets("100", "0")
    city.kindergarten("public", {"lower": 9})
    city.kindergarten("private", {"lower": 1})
    line = figures(session).city.now
    assert (line.public_share.to_move, line.public_share.to_add) == (1, None)
    assert line.inclusive_coverage.met
