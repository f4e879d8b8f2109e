"""A family that moves after the deadline asks once; address, area and facts change together or not at all."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import receipts
from enrollment.applications.application_rows import Stage
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.corrections import corrected_values, family_moves, home_moves
from enrollment.draw import snapshot
from enrollment.family_messages import addresses
from enrollment.ground.errors import Refused
from enrollment.people.household_rows import household_of
from enrollment.review.correction_rows import CorrectionState
from enrollment.season.facts import Fact
from tests.support.town_helping import photo_of_a_paper
from tests.support.town_season import at

NEW_HOME = {
    "home_area": "510105",
    "home_outside": None,
    "home_street": "草堂街道",
    "home_community": None,
    "home_estate": None,
    "home_address": "草堂路 9 号（模拟数据）",
    "home_owned": False,
    "residence_permit_area": None,
    "hukou_kind": "local",
    "hukou_area": "510104",
    "hukou_street": "三圣街道",
}


def asks(town, child, moved_on, **other):
    return town.requests_correction(child, "move", moved_on=moved_on, **(NEW_HOME | other))


def found(town, child):
    rows = town.session.scalars(select(VerifiedFact).where(VerifiedFact.application_id == child.id))
    return {Fact(row.fact): row.value for row in rows}


@pytest.fixture
def reviewed(town):
    """A child whose home is verified in its old street, and the list is frozen."""
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安那", wishes=[town.garden], home_owned=True)
    town.everyone_is_reviewed()
    town.freeze()
    town.deadline = town.the_round.closes_at.date()
    return town


def test_a_move_by_the_deadline_changes_home_area_and_facts_in_one_decision(reviewed):
    town, ana = reviewed, reviewed.ana
    request = asks(town, ana, town.deadline)
    assert corrected_values.after_of(request)[home_moves.COUNTS] is True
    town.one_agrees(request)
    assert request.state == CorrectionState.APPLIED
    facts = found(town, ana)
    assert (facts[Fact.HOME_AREA], facts[Fact.HOME_PLACE]) == ("510105", {"street": "草堂街道"})
    assert facts[Fact.HOME_OWNED] is None, "the owned home was the old one"
    assert facts[Fact.HUKOU_AREA] == "510104", "what the move did not change stays as it was found"
    assert ana.stage != Stage.CONFIRMED, "the desk looks at the new home before the list is frozen again"
    assert snapshot.current(town.session, town.the_round.id).outdated_at is not None
    assert "household.home_area" in receipts.latest(town.session, ana).changed
    address = addresses.of_applications(town.session, [ana.id])[0]
    assert address.lines == ("成都市青羊区", "草堂街道", "草堂路 9 号（模拟数据）")


def test_a_move_after_the_deadline_leaves_priority_and_list(reviewed):
    town, ana = reviewed, reviewed.ana
    before, stage = found(town, ana), ana.stage
    town.at(town.now + dt.timedelta(days=1))
    request = asks(town, ana, town.deadline + dt.timedelta(days=1), hukou_area="510105", hukou_street="草堂街道")
    town.one_agrees(request)
    assert found(town, ana) == before
    assert (ana.stage, snapshot.current(town.session, town.the_round.id).outdated_at) == (stage, None)
    home = household_of(town.session, ana.id)
    assert (home.home_area, home.home_owned, home.hukou_area) == ("510105", False, "510105")
    assert addresses.of_applications(town.session, [ana.id])[0].lines[0] == "成都市青羊区"


def test_a_declined_fact_that_the_move_does_not_touch_stays_declined(town):
    ana = town.child("安那", wishes=[town.kindergarten("金苹果", places=2)])
    town.registration_is_over()
    town.clerk_confirms(ana, declined=["hukou_area"])
    town.one_agrees(asks(town, ana, town.the_round.closes_at.date()))
    facts = found(town, ana)
    assert facts[Fact.HUKOU_AREA] is None and facts[Fact.HOME_PLACE] == {"street": "草堂街道"}


def test_a_late_move_waits_until_the_facts_of_the_earlier_home_are_found(town):
    ana = town.child("安那", wishes=[town.kindergarten("金苹果", places=2)])
    town.registration_is_over()
    town.at(town.now + dt.timedelta(days=1))
    request = asks(town, ana, town.now.date())
    with pytest.raises(Refused, match="move_waits_for_review"):
        town.one_agrees(request)
    town.session.refresh(request)
    town.clerk_confirms(ana)
    town.one_agrees(request)
    assert found(town, ana)[Fact.HOME_PLACE] == {"street": "三圣街道"}
    assert household_of(town.session, ana.id).home_street == "草堂街道"


def test_a_family_that_leaves_the_city_after_the_result_keeps_its_place(reviewed):
    town, ana = reviewed, reviewed.ana
    town.seed()
    town.run()
    town.publish()
    town.confirm(ana)
    town.at(at(8, 1))
    outside = {"home_area": None, "home_outside": True, "home_street": None, "home_address": "重庆市渝中区 1 号"}
    town.one_agrees(asks(town, ana, dt.date(2026, 7, 20), **outside))
    assert addresses.of_applications(town.session, [ana.id])[0].lines == ("重庆市渝中区 1 号",)
    assert town.offer_for(ana).state == "confirmed"


def test_a_move_names_its_day_its_door_and_something_new(reviewed):
    town, ana = reviewed, reviewed.ana
    cases = {
        "moved_on_missing": (None, {}),
        "moved_on_in_future": (town.now.date() + dt.timedelta(days=2), {}),
        "home_address_missing": (town.deadline, {"home_address": None}),
        "home_area_missing": (town.deadline, {"home_area": None}),
        "move_changes_nothing": (
            town.deadline,
            {"home_area": "510104", "home_street": "三圣街道", "home_address": "三圣街道 8 号（模拟数据）"},
        ),
    }
    for code, (day, other) in cases.items():
        with pytest.raises(Refused, match=code):
            asks(town, ana, day, **other)
    request = asks(town, ana, town.deadline)
    with pytest.raises(Refused, match="correction_is_open"):
        asks(town, ana, town.deadline)
    household_of(town.session, ana.id).home_street = "盐市口街道"
    with pytest.raises(Refused, match="correction_outdated"):
        town.one_agrees(request)


def test_siblings_move_in_one_act_each_with_its_own_facts_and_decision(town):
    garden = town.kindergarten("金苹果", places=3)
    family = town.family("安")
    ana, bo = (town.child(name, family=family, wishes=[garden]) for name in ("安那", "安波"))
    stranger = town.child("别家", wishes=[garden])
    town.everyone_is_reviewed()
    by = family.actor
    household_of(town.session, bo.id).hukou_street = "自己的街道"
    town.session.flush()
    assert family_moves.siblings(town.session, ana, by=by, now=town.now) == [bo]
    typed = {home_moves.MOVED_ON: town.the_round.closes_at.date()} | NEW_HOME | {"hukou_street": "草堂街道"}
    paper = {"statement": "搬家了", "papers": [photo_of_a_paper()]}
    with pytest.raises(Refused, match="sibling_cannot_move"):
        family_moves.request(town.session, ana.id, [stranger.id], typed, **paper, by=by, now=town.now)
    first, second = family_moves.request(town.session, ana.id, [bo.id], typed, **paper, by=by, now=town.now)
    assert [each.id for each, _theirs in family_moves.together_with(town.session, first)] == [second.id]
    assert corrected_values.after_of(first)["hukou_street"] == "草堂街道"
    assert "hukou_street" not in corrected_values.after_of(second), "its own hukou stays"
    assert family_moves.siblings(town.session, ana, by=by, now=town.now) == [], "its move is asked already"
    town.one_agrees(first)
    assert (first.state, second.state) == (CorrectionState.APPLIED, CorrectionState.OPEN)
    assert household_of(town.session, bo.id).home_street != "草堂街道"
    town.one_agrees(second)
    moved = household_of(town.session, bo.id)
    assert (moved.home_street, moved.hukou_street) == ("草堂街道", "自己的街道")
