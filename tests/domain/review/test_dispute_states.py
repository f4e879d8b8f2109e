"""FAM24: a dispute has one state, one clock and one named officer; a stranger's claim freezes nothing by itself."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.ground.errors import NotFound, Refused
from enrollment.ground.outbox import Notice
from enrollment.offers import answer_deadlines, offers
from enrollment.review import case_officers, case_withdrawals, cases
from tests.support.prepared import prepared


@prepared
def claimed(town):
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.busy, town.idle = town.area_official("510104"), town.area_official("510104")
    town.stranger = town.family("赵")
    return town


def claim(town, by=None, now=None):
    return cases.open_dispute(
        town.session, child_name="安娜", id_kind="resident", id_number=town.ana.child.id_number, text="孩子由我抚养。",
        by=(by or town.stranger).actor, now=now or town.now,
    )  # fmt: skip


def kinds_told(town, account_id):
    return set(town.session.scalars(select(Notice.kind).where(Notice.account_id == account_id)))


def test_fam24_a_strangers_claim_freezes_nothing_until_the_officer_says_so(claimed):
    town = claimed
    case = claim(town)
    assert not town.ana.on_hold
    town.wish(town.ana, town.garden)
    assert "dispute_opened" in kinds_told(town, town.ana.entered_by)
    assert "on_hold" not in kinds_told(town, town.ana.entered_by)
    with pytest.raises(Refused) as refused:
        cases.impose_hold(town.session, case.id, reason=" ", by=town.busy, now=town.now)
    assert refused.value.code == "say_why"
    cases.impose_hold(town.session, case.id, reason="判决书", by=town.busy, now=town.now)
    assert town.ana.on_hold
    assert "on_hold" in kinds_told(town, town.ana.entered_by)
    assert {"case_opened", "case_hold_imposed"} <= kinds_told(town, town.stranger.account.id)
    cases.lift_hold(town.session, case.id, reason="判决书无效", by=town.busy, now=town.now)
    assert not town.ana.on_hold
    assert case.settled_at is None
    assert "hold_ended" in kinds_told(town, town.ana.entered_by)


def test_fam24_only_the_officials_of_the_area_impose_a_hold(claimed):
    town = claimed
    case = claim(town)
    for by in (town.stranger.actor, town.clerk_of(town.garden), town.area_official("510105")):
        with pytest.raises(NotFound):
            cases.impose_hold(town.session, case.id, reason="判决书", by=by, now=town.now)
    assert not town.ana.on_hold


def test_fam24_the_officer_is_the_one_with_the_fewest_open_cases_and_has_a_telephone(claimed):
    town = claimed
    first = claim(town)
    second = claim(town, by=town.family("钱"))
    assert {first.officer_id, second.officer_id} == {town.busy.account_id, town.idle.account_id}
    case_officers.save_desk_phone(town.session, "028-85550000 转 12", by=town.busy, now=town.now)
    busy = first if first.officer_id == town.busy.account_id else second
    assert case_officers.officer_of(town.session, busy) == case_officers.Officer(town.busy.name, "028-85550000 转 12")
    with pytest.raises(Refused):
        case_officers.save_desk_phone(town.session, "<b>028", by=town.busy, now=town.now)


def test_fam24_a_case_without_an_official_in_the_area_goes_to_the_city(town):
    ana = town.child("安娜", submit=False, home_area="510105")
    elsewhere, city = town.area_official("510104"), town.city_official()
    town.ana, town.stranger = ana, town.family("赵")
    officer = claim(town).officer_id
    # the two who opened the season are officials of the city too, all with the same number of cases
    assert officer in {each.account_id for each in (city, *town.city_pair())}
    assert officer != elsewhere.account_id


def test_fam24_a_hold_is_due_before_registration_closes(claimed):
    town = claimed
    father = town.second_guardian(town.ana)
    case = claim(town, by=father)
    assert town.ana.on_hold
    assert case.due_at == min(town.now + dt.timedelta(days=cases.DISPUTE_DAYS), town.the_round.closes_at)


def test_fam24_two_cases_hold_until_both_have_ended(claimed):
    town = claimed
    first, second = claim(town), claim(town, by=town.family("钱"))
    for case in (first, second):
        cases.impose_hold(town.session, case.id, reason="判决书", by=town.busy, now=town.now)
    cases.settle(town.session, first.id, outcome="rejected", reason="不成立", by=town.busy, now=town.now)
    assert town.ana.on_hold
    cases.settle(town.session, second.id, outcome="rejected", reason="不成立", by=town.busy, now=town.now)
    assert not town.ana.on_hold


def test_fam24_after_a_hold_a_day_is_left_to_answer(claimed):
    town = claimed
    town.drawn(town.ana)
    offer = town.offer_for(town.ana)
    answer_deadlines.remind_due(town.session, now=offer.answer_by - dt.timedelta(hours=23))
    case = claim(town)
    cases.impose_hold(town.session, case.id, reason="判决书", by=town.busy, now=town.now)
    town.at(offer.answer_by + dt.timedelta(days=2))
    assert answer_deadlines.expire_due(town.session, now=town.now) == 0
    cases.settle(town.session, case.id, outcome="rejected", reason="不成立", by=town.busy, now=town.now)
    town.at(town.now + dt.timedelta(minutes=1))
    assert answer_deadlines.expire_due(town.session, now=town.now) == 0
    assert (
        offers.confirm(town.session, offer.id, wait=False, by=town.parent_of(town.ana), now=town.now).state
        == "confirmed"
    )


def test_fam24_the_person_who_opened_a_dispute_takes_it_back_with_a_reason(claimed):
    town = claimed
    case = claim(town)
    cases.impose_hold(town.session, case.id, reason="判决书", by=town.busy, now=town.now)
    with pytest.raises(Refused) as refused:
        take_back(town, case, reason=" ")
    assert refused.value.code == "say_why"
    for by in (town.parent_of(town.ana), town.busy, town.family("钱").actor):
        with pytest.raises(NotFound):
            take_back(town, case, by=by)
    take_back(town, case)
    take_back(town, case, reason="又一次")
    assert (case.outcome, case.withdrawal_reason) == ("withdrawn", "双方已经说好")
    assert not town.ana.on_hold
    assert "case_withdrawn" in kinds_told(town, town.stranger.account.id)
    assert "hold_ended" in kinds_told(town, town.ana.entered_by)
    town.wish(town.ana, town.garden)
    assert cases.listing(town.session, by=town.busy, settled=True).items[0].case.id == case.id, "the history stays"
    again = claim(town)
    assert again.id != case.id, "the matter can be raised again"
    cases.settle(town.session, again.id, outcome="rejected", reason="无判决书", by=town.busy, now=town.now)
    with pytest.raises(Refused) as refused:
        take_back(town, again)
    assert refused.value.code == "case_is_settled"


def test_fam24_another_dispute_keeps_the_hold_when_one_is_taken_back(claimed):
    town = claimed
    mother = town.second_guardian(town.ana)
    own, strangers = claim(town, by=mother), claim(town)
    cases.impose_hold(town.session, strangers.id, reason="判决书", by=town.busy, now=town.now)
    take_back(town, own, by=mother.actor)
    assert town.ana.on_hold
    take_back(town, strangers)
    assert not town.ana.on_hold


def take_back(town, case, *, by=None, reason="双方已经说好"):
    return case_withdrawals.take_back(town.session, case.id, reason=reason, by=by or town.stranger.actor, now=town.now)
