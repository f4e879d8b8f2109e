"""Rounds: planning, opening, closing by a job, extension."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.draw import round_opening
from enrollment.ground.accounts import SYSTEM, Actor
from enrollment.ground.errors import Refused, Stale
from enrollment.ground.jobs import Job
from enrollment.places import programmes
from enrollment.season import calendar, deadline_extensions, rounds
from tests.support.town_season import at

HOUR = dt.timedelta(hours=1)


def opened(town):
    return round_opening.open_round(town.session, town.the_round.id, by=town.city_pair()[0], now=town.now)


def test_a_round_takes_the_programmes_of_its_filter_and_no_other(town):
    in_it = town.kindergarten("金苹果", places=2)
    town.kindergarten("大海星", places=3, nature="private")
    town.kindergarten("小太阳", places=3, level="middle")
    town.kindergarten("红房子", places=3, area="510107")
    town.round(areas=["510104"])
    town.policy("510104")
    found = opened(town)
    assert rounds.programmes_of(town.session, found.id) == [town.programme_of(in_it).id]


def test_what_is_frozen_stays_when_a_kindergarten_comes_later(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    town.kindergarten("迟到园", places=2)
    assert len(rounds.programmes_of(town.session, found.id)) == 1


def test_a_round_without_programmes_is_not_opened(town):
    town.round()
    with pytest.raises(Refused, match="no_programmes"):
        opened(town)


def test_every_programme_must_be_approved(town):
    apple = town.kindergarten("金苹果", places=2)
    programmes.ensure(town.session, town.kindergarten("小太阳").id, "lower", 2026)
    town.policy("510104")
    town.round()
    with pytest.raises(Refused, match="places_not_approved") as caught:
        opened(town)
    assert caught.value.details == {"count": 1, "areas": ["510104"]}
    assert apple.name == "金苹果"


def test_every_area_needs_a_signed_policy(town):
    town.kindergarten("金苹果", places=2)
    town.kindergarten("红房子", places=2, area="510107")
    town.policy("510104")
    town.policy("510107", signed=False)
    town.round()
    with pytest.raises(Refused, match="policy_not_signed") as caught:
        opened(town)
    assert caught.value.details["areas"] == ["510107"]
    assert [
        refused.code
        for refused in rounds.opening_faults(town.session, town.the_round, round_opening.offered(town.session, 2026))
    ] == ["policy_not_signed"]


def test_the_pair_rule_of_the_round_is_that_of_its_policies(town):
    town.kindergarten("金苹果", places=2)
    town.policy("510104", family="any_inclusive")
    town.round()
    with pytest.raises(Refused, match="pair_rule_differs"):
        opened(town)


def test_one_round_is_open_at_a_time(town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    town.round(kind="supplementary")
    with pytest.raises(Refused, match="another_round_open"):
        opened(town)


def test_a_round_is_opened_once(town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    with pytest.raises(Refused, match="round_move_not_possible"):
        opened(town)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"opens_at": at(5, 29), "closes_at": at(5, 21)}, "dates_out_of_order"),
        ({"confirm_by": at(5, 22)}, "dates_out_of_order"),
        ({"name": " "}, "name_needed"),
        ({"max_wishes": 21}, "some_wishes"),
        ({"max_wishes": 0}, "some_wishes"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(town, change, code):
    with pytest.raises(Refused, match=code):
        town.round(**change)


def test_a_second_round_of_the_same_name_is_refused(town):
    """A form that is sent again from the browser's history would plan another round, which nobody can take away."""
    town.round(name="补录")
    with pytest.raises(Refused, match="round_name_taken"):
        town.round(name=" 补录 ")
    town.round(name="补录二")


def test_only_the_city_plans_opens_and_closes(town):
    town.kindergarten("金苹果", places=2)
    town.policy("510104")
    found, official = town.round(), town.area_official()
    span = {"opens_at": at(5, 21), "closes_at": at(5, 29), "confirm_by": at(6, 9)}
    for act in (
        lambda: rounds.plan(town.session, 2026, name="一", by=official, now=town.now, **span),
        lambda: round_opening.open_round(town.session, found.id, by=official, now=town.now),
        lambda: rounds.close(town.session, found.id, by=official, now=town.now),
        lambda: deadline_extensions.extend(
            town.session, found.id, closes_at=at(5, 30), reason="x", by=official, now=town.now
        ),
    ):
        with pytest.raises(Refused, match="only_the_city"):
            act()


def test_registration_is_open_between_its_dates_alone(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    assert not rounds.open_for_registration(found, found.opens_at - HOUR)
    assert rounds.open_for_registration(found, found.opens_at)
    assert rounds.open_for_registration(found, found.closes_at - HOUR)
    assert not rounds.open_for_registration(found, found.closes_at)


def test_nobody_closes_before_the_deadline(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    with pytest.raises(Refused, match="before_the_deadline"):
        rounds.close(town.session, found.id, by=town.city_official(), now=town.now)


def test_a_visitor_without_an_account_does_not_close_in_the_systems_name(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    with pytest.raises(Refused, match="only_the_city"):
        rounds.close(town.session, found.id, by=Actor(account_id=None, name=""), now=found.closes_at)
    assert found.stage == "open"
    assert rounds.close(town.session, found.id, by=SYSTEM, now=found.closes_at).stage == "closed"


def test_the_clock_closes_at_the_deadline_and_not_before(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    job = town.session.scalars(select(Job).where(Job.kind == "close_round")).one()
    assert job.due_at == found.closes_at
    assert not rounds.close_if_due(town.session, found.id, by=SYSTEM, now=found.closes_at - HOUR)
    assert rounds.close_if_due(town.session, found.id, by=SYSTEM, now=found.closes_at)
    assert not rounds.close_if_due(town.session, found.id, by=SYSTEM, now=found.closes_at + HOUR)
    assert found.stage == "closed"


def test_a_draft_stays_a_draft_when_the_round_closes(town):
    apple = town.kindergarten("金苹果", places=2)
    draft = town.child("Ana", wishes=[apple], submit=False)
    town.close_registration()
    assert draft.stage == "draft"


def extend(town, closes_at, **more):
    more = {"reason": "系统维护", "by": town.city_pair()[0], "now": town.now} | more
    return deadline_extensions.extend(town.session, town.the_round.id, closes_at=closes_at, **more)


def test_more_time_is_given_to_all_and_all_are_told(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    extend(town, at(5, 31))
    assert found.closes_at == at(5, 31)
    assert calendar.spans(town.the_season)["registration"][1] == at(5, 31)
    assert town.session.scalars(select(Job).where(Job.kind == "tell_new_date")).one().args["step"] == "registration"
    dues = {job.due_at for job in town.session.scalars(select(Job).where(Job.kind == "close_round"))}
    assert at(5, 31) in dues
    assert not rounds.close_if_due(town.session, found.id, by=SYSTEM, now=at(5, 29, 18))


def test_a_round_that_has_just_closed_opens_again(town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    found = town.close_registration()
    extend(town, at(5, 31))
    assert rounds.open_for_registration(found, town.now)


@pytest.mark.parametrize(
    ("closes_at", "code"),
    [(at(5, 28), "only_later"), (at(6, 4, 12), "runs_into_draw"), (at(6, 20), "dates_out_of_order")],
)
def test_an_extension_that_makes_no_sense_is_refused(town, closes_at, code):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    with pytest.raises(Refused, match=code):
        extend(town, closes_at)


def test_an_extension_needs_a_reason_and_the_newest_page(town):
    town.kindergarten("金苹果", places=2)
    found = town.open_registration()
    with pytest.raises(Refused, match="reason_needed"):
        extend(town, at(5, 31), reason=" ")
    with pytest.raises(Stale):
        extend(town, at(5, 31), version=found.version - 1)


def test_a_frozen_round_is_not_extended(town):
    town.kindergarten("金苹果", places=2)
    town.open_registration()
    found = town.close_registration()
    rounds.move(town.session, found, "freeze", by=town.city_pair()[0], now=town.now)
    with pytest.raises(Refused, match="round_move_not_possible"):
        extend(town, at(6, 1))
