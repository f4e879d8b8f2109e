"""Bound children are drawn together only when all of them take part; otherwise each is drawn alone, and everything says so."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications import receipts
from enrollment.draw import bond_participation, participants, replay
from enrollment.draw.participants import FactBasis
from enrollment.ground import outbox
from enrollment.ground.errors import Refused
from enrollment.offers import (
    answer_deadlines,
    deadline_pauses,
    irrevocable_acts,
    joint_decisions,
    offers,
    withdrawals,
)
from enrollment.results import answers, family_results
from enrollment.review import cases
from enrollment.review.cases import Case
from tests.support.prepared import prepared
from tests.support.town_season import at


def units_in_market(town, stages=participants.HANDED_IN, basis=FactBasis.LIKELY, strict=False):
    market = participants.read(town.session, town.the_round, stages=stages, basis=basis, strict=strict)
    together: dict[str, set[str]] = {}
    for each in market.participants:
        if each.unit:
            together.setdefault(each.unit, set()).add(each.child)
    return sorted(sorted(unit) for unit in together.values())


def bond(town, application):
    return bond_participation.participation(town.session, application, town.the_round)


def result(town, application):
    return family_results.for_application(town.session, application.id, now=town.now)


@prepared
def gardens(town):
    town.m, town.j = town.kindergarten("玉林", places=3), town.kindergarten("桐梓林", places=3)
    return town


def test_fam03_a_twin_whose_sibling_was_never_handed_in_is_drawn_alone_and_leaves_the_bond(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m], submit=False)
    gardens.submit(one)
    assert bond(gardens, one).missing == (two,)
    assert units_in_market(gardens) == []
    gardens.drawn()
    told = result(gardens, one)
    assert (told.bound, told.bound_with) == (1, ())
    assert one.unit is two.unit is None
    (message,) = [
        each
        for each in outbox.notices_of_account(gardens.session, gardens.parent_of(one).account_id)[0]
        if each.kind == "bond_place_alone"
    ]
    assert message.application_id == two.id


def test_fam03_of_three_two_handed_in_are_drawn_each_alone(gardens):
    a, b, c = gardens.twins("周甲", "周乙", "周丙", wishes=[gardens.m], submit=False)
    gardens.submit(a)
    gardens.submit(b)
    assert units_in_market(gardens) == []
    gardens.submit(c)
    assert units_in_market(gardens) == [sorted([a.child_code, b.child_code, c.child_code])]
    assert bond(gardens, b).counts


def test_fam03_twins_who_both_take_part_are_placed_together_and_the_result_names_the_other(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    gardens.everyone_is_reviewed()
    assert units_in_market(gardens, participants.TAKES_PART, FactBasis.VERIFIED, True) == [
        sorted([one.child_code, two.child_code])
    ]
    gardens.drawn()
    assert (result(gardens, one).bound, result(gardens, one).bound_with) == (2, (two,))
    assert one.unit == two.unit is not None


def test_the_answer_of_a_guardian_counts_for_the_children_in_his_care(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    father = gardens.second_guardian(one)
    gardens.drawn()
    assert offers.answered_with(gardens.session, gardens.offer_for(one), by=father.actor) == {}
    assert list(offers.answered_with(gardens.session, gardens.offer_for(one), by=gardens.parent_of(one))) == [two]
    offers.confirm(gardens.session, gardens.offer_for(one).id, wait=False, by=father.actor, now=gardens.now)
    assert (gardens.offer_for(one).state, gardens.offer_for(two).state) == ("confirmed", "offered")


def test_bound_children_are_given_up_together_when_every_guardian_of_any_of_them_agrees(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    father, mother = gardens.second_guardian(one), gardens.parent_of(one)
    gardens.drawn()
    offers.decline(gardens.session, gardens.offer_for(two).id, by=mother, now=gardens.now)
    act = joint_decisions.waiting_for(gardens.session, one.id).act_id
    assert joint_decisions.waiting_for(gardens.session, two.id).act_id == act
    assert (gardens.offer_for(one).state, gardens.offer_for(two).state) == ("offered", "offered")
    irrevocable_acts.agree(gardens.session, act, by=father.actor, now=gardens.now)
    assert (gardens.last_offer_for(one).state, gardens.last_offer_for(two).state) == ("declined", "declined")


def test_an_objection_puts_the_child_of_the_objecting_guardian_on_hold_and_the_other_waits(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    father, mother = gardens.second_guardian(one), gardens.parent_of(one)
    gardens.drawn()
    offers.decline(gardens.session, gardens.offer_for(two).id, by=mother, now=gardens.now)
    act = joint_decisions.waiting_for(gardens.session, one.id).act_id
    irrevocable_acts.object_to(gardens.session, act, text="", by=father.actor, now=gardens.now)
    assert joint_decisions.waiting_for(gardens.session, two.id) is None
    assert (one.on_hold, two.on_hold) == (True, False)
    reason = answers.closed_reason(gardens.session, result(gardens, two), "confirm", None, by=mother, now=gardens.now)
    assert reason == "on_hold"


def test_a_bound_child_is_withdrawn_after_the_freeze_and_the_other_keeps_its_place(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    father, mother = gardens.second_guardian(one), gardens.parent_of(one)
    gardens.drawn()
    withdrawals.withdraw(gardens.session, one.id, by=mother, now=gardens.now)
    assert one.unit == two.unit is not None, "nothing happens while the father has a say"
    act = joint_decisions.waiting_for(gardens.session, one.id).act_id
    irrevocable_acts.agree(gardens.session, act, by=father.actor, now=gardens.now)
    assert (one.stage, gardens.last_offer_for(one).state, one.unit) == ("withdrawn", "declined", None)
    assert (gardens.offer_for(two).state, two.unit) == ("offered", None)
    assert receipts.answers_in(gardens.session, two, 2)["bound_with"] == []
    (told,) = [n for n in outbox.notices_of_account(gardens.session, mother.account_id)[0] if n.kind == "bond_withdraw"]
    assert (told.application_id, told.params["who"]) == (two.id, "you"), "who proposed it did it"


def test_while_one_is_in_dispute_the_answer_and_its_deadline_wait_for_both(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    gardens.drawn()
    one.on_hold = True
    with pytest.raises(Refused) as refused:
        gardens.confirm(two)
    assert refused.value.code == "on_hold"
    gardens.at(gardens.offer_for(two).answer_by + dt.timedelta(days=3))
    answer_deadlines.expire_due(gardens.session, now=gardens.now)
    answer_deadlines.expire_due(gardens.session, now=gardens.now + dt.timedelta(days=2))
    assert gardens.offer_for(one).state == gardens.offer_for(two).state == "offered"
    later = gardens.now + dt.timedelta(days=2)
    replay.precheck(gardens.session, gardens.the_round.id, now=later)  # a dispute holds nobody else up
    with pytest.raises(Refused, match="nothing_to_hand_on"):
        replay.start(gardens.session, gardens.the_round.id, by=gardens.city_pair()[0], now=later)


def test_after_a_dispute_about_one_both_have_a_day_to_answer(gardens):
    one, two = gardens.twins("周星遥", "周星野", wishes=[gardens.m])
    father, mother = gardens.second_guardian(one), gardens.parent_of(one)
    gardens.drawn()
    offers.decline(gardens.session, gardens.offer_for(two).id, by=mother, now=gardens.now)
    act = joint_decisions.waiting_for(gardens.session, one.id).act_id
    irrevocable_acts.object_to(gardens.session, act, text="", by=father.actor, now=gardens.now)
    ended = gardens.offer_for(two).answer_by + dt.timedelta(days=3)
    gardens.at(ended)
    case = gardens.session.scalars(select(Case).where(Case.application_id == one.id)).one()
    official = gardens.city_pair()[0]
    cases.settle(gardens.session, case.id, outcome="settled", reason="已协商", by=official, now=gardens.now)
    answer_deadlines.expire_due(gardens.session, now=gardens.now + dt.timedelta(hours=1))
    answer_by = {gardens.offer_for(each).answer_by for each in (one, two)}
    assert answer_by == {ended + deadline_pauses.AFTER_PAUSE}
    gardens.confirm(two)
    assert gardens.offer_for(one).state == gardens.offer_for(two).state == "confirmed"


def test_bound_children_with_different_places_do_not_stop_the_freeze_of_a_later_round(gardens):
    family = gardens.family("周")
    one = gardens.child("周星遥", family=family, wishes=[gardens.m])
    gardens.drawn()
    gardens.confirm(one, wait=False)
    gardens.at(at(6, 10))
    gardens.open_registration(kind="supplementary")
    two = gardens.child("周星野", family=family, wishes=[gardens.j])
    gardens.bind(two, one)
    assert (bond(gardens, two).counts, bond(gardens, two).apart) == (False, True)
    gardens.everyone_is_reviewed()
    gardens.freeze()
    assert units_in_market(gardens, participants.TAKES_PART, FactBasis.VERIFIED, True) == []
